// What `lbc explain` says about messages on text, files, statements and names. Part of the registry in
// `diagnostic_registry.cpp`, which alone includes it; entries stand in the order of `DiagId`.
#pragma once

#include "grammar/diagnostic.hpp"

#include <array>

namespace lbc::explain {

inline constexpr std::array text_messages{
    DiagInfo{DiagId::syntax, "syntax", Severity::error,
             R"md(The text is not a statement at this place. A statement is a word, its values, and for some a block;
it ends at the end of its line, at `;`, or at the `}` of the block it stands in. Values in a list
stand behind commas, and only behind a comma may a list go on on the next line.

```lb
port tcp 80
         443        # wrong: a new line is a new statement
port tcp 80,
         443        # right
```)md"},
    DiagInfo{DiagId::unclosed_block, "unclosed-block", Severity::error,
             R"md(A `{` has no `}`. The note shows where the block was opened. Everything up to the end of the file
would belong to it, so nothing behind it can be trusted to be what was meant.)md"},
    DiagInfo{DiagId::unclosed_string, "unclosed-string", Severity::error,
             R"md(A `"` has no second one on its line. A string holds no raw line break; write `\n` for one, and `\"`
for a quote inside the string.

```lb
description "the shop"
```)md"},
    DiagInfo{DiagId::bad_escape, "bad-escape", Severity::error,
             R"md(A backslash in a string stands before a letter that means nothing there. The escapes are `\"`, `\\`,
`\n` and `\t`; a backslash itself, as in a regular expression, is written twice.

```lb
check http { path "/health" regex "up: \d+" }     # wrong
check http { path "/health" regex "up: \\d+" }    # right
```)md"},
    DiagInfo{DiagId::stray_character, "stray-character", Severity::error,
             R"md(The character belongs to no word, string or comment of the language: it is not seen, or its bytes are
no UTF-8. Control characters drive the terminal that shows them, those that change the direction of
the text, or have no width, make a line read otherwise than it is. None has a place in a file that
people review. It often comes along with pasted text. Delete it, or save the file as UTF-8.

Joiners (U+200C, U+200D) may stand in comments and descriptions, between letters of a script that is
written with them and between emoji, and nowhere else. In a command, a blank of Unicode such as U+00A0
looks like a space and parts no words: write a space.)md"},
    DiagInfo{DiagId::misplaced_block, "misplaced-block", Severity::error,
             R"md(A brace stands where no block can begin or end: a `{` on a line of its own, a block more than three
levels deep, or a `}` too many. The `{` stands on the line of its statement, because the end of a
line ends the statement.

```lb
director lb1        # wrong
{
    mac 08:00:27:9e:ef:a0
}

director lb1 {      # right
    mac 08:00:27:9e:ef:a0
}
```)md"},
    DiagInfo{DiagId::cannot_read, "cannot-read", Severity::error,
             R"md(The system refused to give the file's text; the message has its reason. A site that is read in part
would be applied in part, so nothing is done. A file of more than 32 MiB is refused too.)md"},
    DiagInfo{DiagId::include_cycle, "include-cycle", Severity::error,
             R"md(The file is included by itself, straight or by way of another; the note shows the way. Two paths to
one file, such as a symbolic link, count as the same file. Take one of the includes out.)md"},
    DiagInfo{DiagId::include_no_match, "include-no-match", Severity::error,
             R"md(There is no file of this name. The path counts from the folder of the file that holds the `include`,
not from where lbc is started. If the folder may be empty, write a pattern: an empty pattern is only
a warning.

```lb
include "services/web.lb"     # must exist
include "services/*.lb"       # may match nothing
```)md"},
    DiagInfo{DiagId::include_empty, "include-empty", Severity::warning,
             R"md(The pattern matches no file. That is right for a folder that is filled later, and wrong for a
misspelt one: a service that was meant to come from there is not balanced. The pattern counts from
the folder of the file that holds the `include`, and files are read in sorted order.)md"},
    DiagInfo{DiagId::include_outside, "include-outside", Severity::error,
             R"md(The file is not below the folder of the site file, or is no regular file. A site can come from
somebody who may not read what the one who runs lbc can, and messages quote a file's lines. So an
`include` stays below the site's folder, links followed, unless the folder is named on the command line:

```sh
lbc check site.lb --include-from /etc/lbc/shared
```

For a site from standard input the folder is the current one, and the root folder is no site's.)md"},
    DiagInfo{DiagId::too_large, "too-large", Severity::error,
             R"md(The site asks for more than lbc works with. The message names the bound. Bounds are on what has to be
made, such as a service's addresses times its ports times its interfaces, not on how many services a
site has; they keep a slip of the pen, or a hostile file, from filling the memory of a director. Use a
prefix instead of single addresses, a range instead of single ports, or leave `interface` out; where
it is checks times real servers, check a pool's servers with fewer checks.)md"},
};

inline constexpr std::array name_messages{
    DiagInfo{DiagId::unknown_statement, "unknown-statement", Severity::error,
             R"md(No statement of this name belongs here. Each block has statements of its own: `scheduler` stands in
a `service`, a `pool` has real servers and checks, `mac` stands in a `director`. The language
reference lists them block by block.)md"},
    DiagInfo{DiagId::duplicate_statement, "duplicate-statement", Severity::error,
             R"md(The statement is given twice in one block, and can have one value only; the note shows the first.
Statements that add up (`port`, `real`, `pool`, `check`) may be repeated; the others may not, since
it could not be told which one was meant.

```lb
service web {
    scheduler rr
    scheduler wlc    # wrong: which one?
}
```)md"},
    DiagInfo{DiagId::missing_statement, "missing-statement", Severity::error,
             R"md(The block lacks a statement that it cannot do without. A service needs at least one `vip` and one
`port`, since they say which packets are its own; both may come from `defaults`.

```lb
service web {
    vip  192.168.23.253
    port tcp 80
    real lb1
}
```)md"},
    DiagInfo{DiagId::missing_value, "missing-value", Severity::error,
             R"md(The statement lacks a value that it needs: the line ends too early, or a comma has nothing behind
it. The message says what was expected there.

```lb
vip                  # wrong
vip 192.168.23.253   # right
```)md"},
    DiagInfo{DiagId::extra_value, "extra-value", Severity::error,
             R"md(The statement has more values than it takes. Often two statements stand on one line without a `;`,
or a list lacks a comma.

```lb
vip 192.168.23.253 192.168.23.254     # wrong
vip 192.168.23.253, 192.168.23.254    # right
```)md"},
    DiagInfo{DiagId::missing_block, "missing-block", Severity::error,
             R"md(The statement says what it is about in a block, and has none.

```lb
director lb1                              # wrong
director lb1 { mac 08:00:27:9e:ef:a0 }    # right
```)md"},
    DiagInfo{DiagId::unexpected_block, "unexpected-block", Severity::error,
             R"md(The statement has a block and takes none. Blocks belong to `defaults`, `director`, `pool`,
`service`, `vrrp`, `sync`, and, inside of those, to `real` and `check`. Look for a `}` that is
missing above.)md"},
    DiagInfo{DiagId::bad_name, "bad-name", Severity::error,
             R"md(A name begins with a letter or `_`, and goes on with letters, digits, `_`, `-` and `.`. Names turn
up in comments, in file names and in the configuration of other programs, so they are kept to what
each of them can hold: 63 characters, a host name 64, any other word 512 bytes.)md"},
    DiagInfo{DiagId::duplicate_name, "duplicate-name", Severity::error,
             R"md(Two directors, services, pools, `vrrp` instances or `let` values have the same name; the note shows
the first. Blocks of one name are not merged: what one of them says would silently change the other.
A service and a pool may share a name.)md"},
    DiagInfo{DiagId::unknown_director, "unknown-director", Severity::error,
             R"md(No `director` of this name is in the site. A `real` takes an address or the name of a director;
`mark`, `on` and `priority` take names of directors. A misspelt director would leave its packets out
of what its peers recognise, which is how packet loops begin. Real servers that are no directors are
given by address.

```lb
real web3           # wrong, unless there is a director web3
real 192.168.23.33  # right
```)md"},
    DiagInfo{DiagId::unknown_pool, "unknown-pool", Severity::error,
             R"md(No `pool` of this name is in the site. A service that names a pool gets its real servers from there,
so without it the service would have fewer of them than was meant, or none.)md"},
    DiagInfo{DiagId::unknown_vrrp, "unknown-vrrp", Severity::error,
             R"md(No `vrrp` instance of this name is in the site. The role of the `sync` daemon follows the instance
that it names.

```lb
vrrp front { vip 192.0.2.10/24; interface eth0; router-id 51; priority lb1 150, lb2 100 }
sync { interface eth1; instance front }
```)md"},
    DiagInfo{DiagId::unknown_let, "unknown-let", Severity::error,
             R"md(No `let` gives this name a value. A `let` may stand before or behind its use, in any file of the
site. Inside a string a `$` is an ordinary character.

```lb
let office = 10.20.0.0/24
service intranet { vip $office; port tcp 80; real 10.0.0.1 }
```)md"},
    DiagInfo{DiagId::let_cycle, "let-cycle", Severity::error,
             R"md(The value of a `let` leads back to itself, so it has no value. The note shows the way.

```lb
let a = $b
let b = $a    # wrong
```)md"},
    DiagInfo{DiagId::let_too_long, "let-too-long", Severity::error,
             R"md(With every `let` put in its place, the value is longer than 65536 words. Lists that name lists can
double with every line; the limit keeps a slip of the pen, or a hostile file, from filling the
memory.)md"},
};

} // namespace lbc::explain
