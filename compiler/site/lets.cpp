#include "compiler/site/lets.hpp"

#include "compiler/site/values.hpp"
#include "grammar/spell.hpp"

#include <utility>

namespace lbc {

void Lets::define(ast::Node const& node) {
    auto const words = node.words();
    if (words.size() < 4 || words[2].kind() != ast::Word::Kind::equals || words[1].kind() != ast::Word::Kind::bare) {
        if (!node.broken())
            diagnostics_->report(DiagId::missing_value, node.span(), "expected `let NAME = VALUE, …`");
        return;
    }
    auto const& name = words[1];
    if (auto const parsed = parse_name(name.text()); !parsed) {
        diagnostics_->add(parsed.error().id, name.span(), parsed.error().message);
        return;
    }
    auto const [at, fresh] = lets_.try_emplace(name.text());
    if (!fresh) {
        diagnostics_->report(DiagId::duplicate_name, name.span(), "`{}` has a value already", name.text())
            .note(at->second.name.span(), "first defined here");
        return;
    }
    at->second.name = name;
    at->second.broken = node.broken();
    at->second.words.assign(words.begin() + 3, words.end());
    in_order_.push_back(&at->second);
}

bool Lets::expand(std::span<ast::Word const> words, std::vector<ast::Word>& out) {
    for (auto const& word : words) {
        if (word.kind() == ast::Word::Kind::variable) {
            if (!expand_variable(word, out))
                return false;
        } else {
            if (out.size() >= max_words) {
                diagnostics_->report(DiagId::let_too_long, word.span(),
                                     "names in this statement stand for more than {} words", max_words);
                return false;
            }
            if (depth_ > 0 && !count(word))
                return false;
            out.push_back(word);
        }
    }
    return true;
}

bool Lets::count(ast::Word const& word) {
    if (++expanded_ <= max_words_of_site)
        return true;
    if (!std::exchange(is_too_large_, true))
        diagnostics_->report(
            DiagId::too_large, word.span(),
            "names stand for more than {} words in the statements of this site; say in `defaults` or a "
            "`pool` what services have in common",
            max_words_of_site);
    return false;
}

bool Lets::expand_variable(ast::Word const& variable, std::vector<ast::Word>& out) {
    auto const found = lets_.find(variable.text());
    if (found == lets_.end()) {
        std::vector<std::string_view> names;
        for (auto const& [name, let] : lets_)
            names.push_back(name);
        diagnostics_->report(DiagId::unknown_let, variable.span(), "no `let` defines `${}`{}", variable.text(),
                             did_you_mean(variable.text(), names, diagnostics_->errors()));
        return false;
    }
    auto& let = found->second;
    let.used = true;
    if (let.broken)
        return false; // which is already reported
    if (let.open) {
        diagnostics_->report(DiagId::let_cycle, variable.span(), "`${}` stands for itself", variable.text())
            .note(let.name.span(), "defined here");
        return false;
    }
    if (depth_ == max_depth) {
        diagnostics_->report(DiagId::let_too_long, variable.span(), "names stand for names more than {} deep",
                             max_depth);
        return false;
    }
    let.open = true;
    ++depth_;
    auto const first = out.size();
    auto const good = expand(let.words, out);
    --depth_;
    let.open = false;
    if (good && out.size() > first)
        out[first].set_after_comma(variable.after_comma());
    return good;
}

void Lets::report_unused() const {
    for (auto const* let : in_order_)
        if (!let->used)
            diagnostics_->report(DiagId::unused, let->name.span(), "nothing uses `${}`", let->name.text());
}

} // namespace lbc
