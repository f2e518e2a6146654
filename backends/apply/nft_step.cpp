#include "backends/apply/nft_step.hpp"

#include "backends/nft/nft_difference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace lbc {
namespace {

/// Text that deletes the chains and sets of `now` that `wanted` lacks, once no rule uses them.
std::string others_text(NftState const& now, NftState const& wanted) {
    std::string text;
    for (auto const& chain : now.chains)
        if (std::ranges::find(wanted.chains, chain.name, &NftChain::name) == wanted.chains.end())
            text += fmt::format("delete chain inet lbc {}\n", chain.name);
    for (auto const& set : now.sets)
        if (std::ranges::find(wanted.sets, set.name, &NftSet::name) == wanted.sets.end())
            text += fmt::format("delete {} inet lbc {}\n", set.kind(), set.name);
    return text;
}

class NftStep final : public Step {
public:
    NftStep(std::unique_ptr<NftTable> table, NftState before, NftState wanted)
        : table_(std::move(table)), before_(std::move(before)), wanted_(std::move(wanted)) {}

    std::expected<void, SystemError> apply() override { return bring(before_, wanted_); }
    bool touched() const override { return touched_; }

    std::expected<void, SystemError> check() override {
        auto checked = holds(wanted_);
        table_->rest();
        return checked;
    }

    std::expected<void, SystemError> roll_back() override {
        auto taken = bring_back();
        table_->rest();
        return taken;
    }

    void list_residue(std::vector<std::string>& out) override {
        if (auto const now = table_->read(); now)
            out.push_back(fmt::format("nftables: table inet lbc, rules {}", now->rules()));
        else
            out.emplace_back("nftables: table inet lbc, which cannot be read");
        table_->rest();
    }

private:
    std::expected<void, SystemError> bring_back() {
        auto const now = table_->read();
        if (!now)
            return std::unexpected(now.error());
        auto brought = bring(*now, before_);
        return brought ? holds(before_) : brought;
    }

    std::expected<void, SystemError> holds(NftState const& state) {
        auto const now = table_->read();
        if (!now)
            return std::unexpected(now.error());
        if (!is_same(*now, state))
            return std::unexpected(SystemError{SystemError::Kind::failed, 0,
                                               "the table inet lbc of nftables does not read back as it was written"});
        return {};
    }

    /// If rules and sets stay, elements change in place. Else sets are filled before a rule uses them: staging copies
    /// of the sets in use are made under staging names and the rules switch to them, then the sets under the real names
    /// are filled and the rules switch back.
    std::expected<void, SystemError> bring(NftState const& now, NftState const& wanted) {
        if (auto const changes = element_changes(now, wanted))
            return write(*changes);
        if (!now.empty() && !wanted.empty() && !is_staging(now))
            if (auto made = make(with_staging_names(wanted)); !made)
                return made;
        if (auto made = make(wanted); !made)
            return made;
        bool const has_others = !now.chains.empty() || !now.sets.empty();
        return has_others && !wanted.empty() ? delete_others(wanted) : std::expected<void, SystemError>();
    }

    std::expected<void, SystemError> make(NftState const& wanted) {
        auto const [sets, rules] = nft_parts_unfilled(wanted);
        if (!sets.empty()) {
            if (auto loaded = load(sets); !loaded)
                return loaded;
            if (auto filled = write(all_elements(wanted)); !filled)
                return filled;
        }
        return load(rules);
    }

    std::expected<void, SystemError> write(std::vector<NftElementChange> const& changes) {
        return note(table_->write(changes));
    }

    std::expected<void, SystemError> delete_others(NftState const& wanted) {
        auto const now = table_->read();
        if (!now)
            return std::unexpected(now.error());
        auto const text = others_text(*now, wanted);
        return text.empty() ? std::expected<void, SystemError>() : load(text);
    }

    std::expected<void, SystemError> load(std::string const& text) { return note(table_->load(text)); }

    /// After an error the kernel may have made the change all the same: the error may be in reading its answer.
    std::expected<void, SystemError> note(std::expected<void, SystemError> done) {
        if (!touched_ && !done) {
            auto const now = table_->read();
            touched_ = !now || !is_same(*now, before_);
        } else
            touched_ = true;
        return done;
    }

    std::unique_ptr<NftTable> table_;
    NftState before_;
    NftState wanted_;
    bool touched_ = false;
};

} // namespace

std::expected<NftPlan, SystemError> plan_nft(std::unique_ptr<NftTable> table, NftState wanted) {
    auto now = table->read();
    if (!now)
        return std::unexpected(std::move(now.error()));
    NftPlan plan;
    plan.marks = now->marks();
    if (is_same(*now, wanted))
        return plan;
    // Present rules need no test: the kernel has accepted them before.
    if (!element_changes(*now, wanted)) {
        auto const [sets, rules] = nft_parts_unfilled(wanted);
        if (auto tested = table->test(sets + rules); !tested)
            return std::unexpected(std::move(tested.error()));
    }
    plan.change = {*now, wanted};
    plan.steps.push_back(std::make_unique<NftStep>(std::move(table), std::move(*now), std::move(wanted)));
    return plan;
}

} // namespace lbc
