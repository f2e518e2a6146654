#include "tests/support/fake_kernel.hpp"

#include <utility>

namespace lbc::test {

std::expected<bool, SystemError> FakeKernel::has_own_chains(Family family) {
    auto done = call("find chains", family);
    if (!done)
        return std::unexpected(std::move(done.error()));
    auto const place = static_cast<std::size_t>(family);
    return has_table[place] && !tables[place].empty();
}

std::expected<std::string, SystemError> FakeKernel::save_variant(Family family) {
    auto done = call("save variant", family);
    if (!done)
        return std::unexpected(std::move(done.error()));
    return variants[static_cast<std::size_t>(family)];
}

std::expected<void, SystemError> FakeKernel::restore_variant(Family family, std::string const& text, bool only_test) {
    auto done = call(only_test ? "test variant" : "restore variant", family);
    if (done && !only_test)
        variants[static_cast<std::size_t>(family)] = text.contains("\n-X ") ? std::string() : text;
    return done;
}

class FakeKernel::FakeNft final : public NftTable {
public:
    explicit FakeNft(FakeKernel& kernel) : kernel_(kernel) {}

    std::expected<bool, SystemError> exists() override { return !kernel_.nft.empty(); }
    std::expected<NftState, SystemError> read() override { return kernel_.nft; }
    std::expected<void, SystemError> test(std::string const& /*text*/) override { return {}; }
    std::expected<void, SystemError> load(std::string const& text) override {
        kernel_.nft_loads.push_back(text);
        return {};
    }
    void rest() override {}
    std::expected<void, SystemError> write(std::span<NftElementChange const> changes) override {
        kernel_.nft_loads.push_back("elements of " + std::to_string(changes.size()) + " sets");
        return {};
    }

private:
    FakeKernel& kernel_;
};

std::unique_ptr<NftTable> FakeKernel::open_nft() { return std::make_unique<FakeNft>(*this); }

std::expected<NftRulesets, SystemError> FakeKernel::read_nftables() {
    auto done = call("read nftables");
    if (!done)
        return std::unexpected(std::move(done.error()));
    return nftables;
}

} // namespace lbc::test
