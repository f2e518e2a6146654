// Writes a plan's virtual services as ipvsadm(8) 1.31 takes and prints them: one command per line, in the words and the
// order of `ipvsadm -Sn`, so that lines compare with those of the kernel. `ipvsadm -R` takes no comments, so there are
// none.
#pragma once

#include "compiler/plan/plan.hpp"

#include <string>

namespace lbc {

/// Input for `ipvsadm -R` on a director without virtual services: `-A` lines, each followed by its `-a` lines. Empty if
/// the site leaves IPVS to keepalived, or if the plan has no services.
[[nodiscard]] std::string ipvsadm_text(Site const& site, Plan const& plan);

/// One virtual service with its real servers. `-S` leaves out the connection limits, which stand at a line's end here.
/// Example: "-A -f 3 -s rr\n-a -f 3 -r 10.0.0.1:0 -g -w 1 -x 1000 -y 100\n"
[[nodiscard]] std::string ipvsadm_lines(VirtualService const& service);

} // namespace lbc
