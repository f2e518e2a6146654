#include "backends/nft/nft_step.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace lbc {
namespace {

std::size_t count_lines(std::string_view text) {
    std::size_t count = 0;
    for (std::size_t at = 0; at < text.size();) {
        auto const end = std::min(text.find('\n', at), text.size());
        auto const line = text.substr(at, end - at);
        auto const first = line.find_first_not_of(' ');
        count += first != std::string_view::npos && line[first] != '#' ? 1 : 0;
        at = end + 1;
    }
    return count;
}

std::size_t elements_of(NftState const& state) {
    std::size_t count = 0;
    for (auto const& set : state.sets)
        count += count_lines(set.elements);
    return count;
}

std::size_t rules_of(NftState const& state) {
    std::size_t count = 0;
    for (auto const& chain : state.chains)
        count += count_lines(chain.rules);
    return count;
}

/// Text that deletes what of `now` is not in `wanted`, once no rule has it.
std::string others_text(NftState const& now, NftState const& wanted) {
    std::string text;
    for (auto const& chain : now.chains)
        if (std::ranges::find(wanted.chains, chain.name, &NftChain::name) == wanted.chains.end())
            text += fmt::format("delete chain inet lbc {}\n", chain.name);
    for (auto const& set : now.sets)
        if (std::ranges::find(wanted.sets, set.name, &NftSet::name) == wanted.sets.end())
            text += fmt::format("delete {} inet lbc {}\n", set.kind, set.name);
    return text;
}

class NftStep final : public Step {
public:
    NftStep(std::unique_ptr<NftTable> table, NftState before, NftState wanted)
        : table_(std::move(table)), before_(std::move(before)), wanted_(std::move(wanted)) {}

    std::expected<void, SystemError> act() override { return bring(before_, wanted_); }
    bool touched() const override { return touched_; }

    std::expected<void, SystemError> check() override {
        auto const now = table_->read();
        if (!now)
            return std::unexpected(now.error());
        if (!is_same(*now, wanted_))
            return std::unexpected(SystemError{SystemError::Kind::failed, 0,
                                               "the table inet lbc of nftables does not read back as it was written"});
        return {};
    }

    std::expected<void, SystemError> take_back() override {
        auto const now = table_->read();
        return now ? bring(*now, before_) : std::unexpected(now.error());
    }

    void list_left(std::vector<std::string>& out) override {
        if (auto const now = table_->read(); now)
            out.push_back(fmt::format("nftables: table inet lbc, rules {}", rules_of(*now)));
        else
            out.emplace_back("nftables: table inet lbc, which cannot be read");
    }

private:
    /// Sets are filled before a rule sees them. Those that rules see now are made anew under second names, the rules go
    /// there, and back when those by the first names are filled.
    std::expected<void, SystemError> bring(NftState const& now, NftState const& wanted) {
        std::vector<std::string> texts;
        if (!now.empty() && !wanted.empty() && !now.is_second()) {
            auto const [sets, rules] = with_second_names(wanted).parts();
            texts.insert(texts.end(), {sets, rules});
        }
        auto const [sets, rules] = wanted.parts();
        if (!sets.empty())
            texts.push_back(sets);
        texts.push_back(rules);
        for (auto const& text : texts)
            if (auto loaded = load(text); !loaded)
                return loaded;
        return wanted.empty() ? std::expected<void, SystemError>() : delete_others(wanted);
    }

    std::expected<void, SystemError> delete_others(NftState const& wanted) {
        auto const now = table_->read();
        if (!now)
            return std::unexpected(now.error());
        auto const text = others_text(*now, wanted);
        return text.empty() ? std::expected<void, SystemError>() : load(text);
    }

    std::expected<void, SystemError> load(std::string const& text) {
        auto loaded = table_->load(text);
        touched_ = touched_ || loaded.has_value();
        return loaded;
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
    auto const [sets, rules] = wanted.parts();
    if (auto tested = table->test(sets + rules); !tested)
        return std::unexpected(std::move(tested.error()));
    plan.change = fmt::format("change the table inet lbc of nftables: elements {} -> {}, rules {} -> {}",
                              elements_of(*now), elements_of(wanted), rules_of(*now), rules_of(wanted));
    plan.steps.push_back(std::make_unique<NftStep>(std::move(table), std::move(*now), std::move(wanted)));
    return plan;
}

} // namespace lbc
