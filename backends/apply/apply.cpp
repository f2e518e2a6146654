#include "backends/apply/apply.hpp"

#include "backends/apply/variant_step.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace lbc {
namespace {

/// Writes lbc's record. Before the first change it lists what lbc owns before or after the transaction; after the last
/// change it lists what lbc owns then.
class RecordStep final : public Step {
public:
    RecordStep(HostState& host, Record before, Record after)
        : host_(host), before_(std::move(before)), after_(std::move(after)) {}

    std::expected<void, SystemError> apply() override {
        auto written = host_.write_record(after_);
        touched_ = written.has_value();
        return written;
    }
    bool touched() const override { return touched_; }
    std::expected<void, SystemError> check() override { return {}; }
    std::expected<void, SystemError> roll_back() override { return host_.write_record(before_); }
    void list_residue(std::vector<std::string>& out) override {
        out.emplace_back("lbc's record of the services that it owns");
    }

private:
    HostState& host_;
    Record before_;
    Record after_;
    bool touched_ = false;
};

Record record_of(IpvsWanted const& wanted) {
    Record record;
    for (IpvsService const& service : wanted.services)
        record.marks.insert(service.key.mark);
    record.sync = !wanted.daemons.empty();
    return record;
}

Record either(Record a, Record const& b) {
    a.marks.insert(b.marks.begin(), b.marks.end());
    a.sync = a.sync || b.sync;
    return a;
}

void append(Steps& to, Steps&& from) { std::ranges::move(from, std::back_inserter(to)); }

std::unexpected<ApplyFailure> refused(SystemError error) {
    return std::unexpected(ApplyFailure{ApplyFailure::Outcome::refused, std::move(error), {}});
}

} // namespace

MarkRules mark_rules(Site const& site, Plan const& plan, Layout layout) {
    MarkRules rules;
    std::ranges::transform(families, rules.begin(), [&](Family family) { return layout(site, plan.marks, family); });
    return rules;
}

MarkRules no_marks() { return {Ruleset{Family::ipv4, {}, {}}, Ruleset{Family::ipv6, {}, {}}}; }

std::expected<Transaction, ApplyFailure> Transaction::plan(Kernel& kernel, Wanted const& wanted,
                                                           std::chrono::milliseconds wait) {
    Transaction transaction(kernel);
    bool is_tested = false;
    if (wanted.keepalived) {
        auto const prepared = prepare_keepalived(kernel, *wanted.keepalived);
        if (!prepared)
            return refused(prepared.error());
        is_tested = *prepared;
    }
    auto lock = kernel.lock(wait);
    if (!lock)
        return refused(std::move(lock.error()));
    transaction.lock_ = std::move(*lock);
    if (auto looked = transaction.look(wanted, is_tested); !looked)
        return refused(std::move(looked.error()));
    return transaction;
}

std::expected<void, SystemError> Transaction::look(Wanted const& wanted, bool is_tested) {
    auto looked = look_at_marks(wanted);
    if (!looked)
        return std::unexpected(std::move(looked.error()));
    auto& marks = *looked;
    if (!wanted.ipvs) {
        append(steps_, std::move(marks.steps));
        return {};
    }
    auto const before = kernel_->read_record();
    if (!before)
        return std::unexpected(before.error());
    Record after = record_of(*wanted.ipvs);
    Record owned = either(*before, after);
    if (wanted.ipvs->rules_tell)
        owned.marks.insert(marks.marks.begin(), marks.marks.end());
    auto const owns = [range = wanted.ipvs->range, set = owned.marks](Fwmark mark) {
        return range.contains(mark) || set.contains(mark);
    };
    auto ipvs = plan_ipvs(*kernel_, *wanted.ipvs, owns, *before);
    if (!ipvs)
        return std::unexpected(std::move(ipvs.error()));
    after.sysctls = std::move(ipvs->sysctls);
    owned.sysctls.insert(after.sysctls.begin(), after.sysctls.end());
    changes_.services = std::move(ipvs->changes);
    std::ranges::move(ipvs->settings, std::back_inserter(changes_.settings));
    changes_.leaving = std::move(ipvs->leaving);
    KeepalivedPlan keepalived;
    if (wanted.keepalived) {
        auto planned = plan_keepalived(*kernel_, *wanted.keepalived, is_tested, before->reload);
        if (!planned)
            return std::unexpected(std::move(planned.error()));
        keepalived = std::move(*planned);
        std::ranges::move(keepalived.settings, std::back_inserter(changes_.settings));
        changes_.keepalived = std::move(keepalived.change);
        changes_.notes = std::move(keepalived.notes);
    }
    // Services that stay for their connections stay own.
    Record const last = changes_.leaving.empty() ? after : owned;
    owned.reload = !keepalived.before_marks.empty();
    Record const first = changes_.empty() ? last : owned;
    if (first != *before)
        steps_.push_back(std::make_unique<RecordStep>(*kernel_, *before, first));
    append(steps_, std::move(ipvs->before_marks));
    append(steps_, std::move(keepalived.before_marks));
    append(steps_, std::move(marks.steps));
    append(steps_, std::move(keepalived.after_marks));
    append(steps_, std::move(ipvs->after_marks));
    if (last != first)
        steps_.push_back(std::make_unique<RecordStep>(*kernel_, first, last));
    return {};
}

std::expected<MarkPlan, SystemError> Transaction::look_at_marks(Wanted const& wanted) {
    MarkPlan marks;
    if (wanted.marks) {
        auto planned = plan_marks(*kernel_, *wanted.marks);
        if (!planned)
            return planned;
        marks = std::move(*planned);
        changes_.marks = std::move(marks.changes);
    }
    if (wanted.variants_leave) {
        auto planned = plan_variants_leave(*kernel_);
        if (!planned)
            return planned;
        append(marks.steps, std::move(planned->steps));
        std::ranges::copy(planned->marks, std::back_inserter(marks.marks));
        std::ranges::move(planned->changes, std::back_inserter(changes_.marks));
    }
    if (!wanted.nft)
        return marks;
    auto planned = plan_nft(kernel_->open_nft(), *wanted.nft);
    if (!planned)
        return std::unexpected(std::move(planned.error()));
    std::ranges::copy(planned->marks, std::back_inserter(marks.marks));
    changes_.nft = std::move(planned->change);
    // The backend that marks packets from now on comes first.
    marks.steps.insert(wanted.nft->empty() ? marks.steps.end() : marks.steps.begin(),
                       std::make_move_iterator(planned->steps.begin()), std::make_move_iterator(planned->steps.end()));
    return marks;
}

std::expected<void, ApplyFailure> Transaction::run() {
    auto done = run_steps(steps_);
    lock_.reset();
    return done;
}

std::expected<void, ApplyFailure> Transaction::roll_back(std::chrono::milliseconds wait) {
    auto lock = kernel_->lock(wait);
    if (!lock)
        return refused(std::move(lock.error()));
    return roll_back_steps(steps_);
}

} // namespace lbc
