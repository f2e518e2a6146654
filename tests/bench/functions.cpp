// What each stage of a compilation takes, in process, beside counting the lines of the same text by memchr. The
// argument is the number of services; `./dev bench` runs it.
#include "backends/restore/restore.hpp"
#include "compiler/checks/checks.hpp"
#include "compiler/layout/layout.hpp"
#include "compiler/site/load.hpp"
#include "compiler/site/resolve.hpp"
#include "tests/support/memory_files.hpp"

#include "cli/program/heap.hpp"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstring>
#include <string>

using namespace lbc;

namespace {

std::string text_of(std::size_t services) {
    std::string text = "director lb1 { mac 02:00:00:00:00:01; address 10.0.0.1; interface eth0 }\n"
                       "director lb2 { mac 02:00:00:00:00:02; address 10.0.0.2; interface eth0 }\n"
                       "guard local\nmarks 0x10000-0x1ffff\n";
    for (std::size_t i = 0; i < services; ++i)
        text +=
            fmt::format("service s{} {{ vip 10.{}.{}.{}; port tcp {}; mark {:#x}; real 10.0.1.1; real 10.0.1.2 }}\n", i,
                        64 + i / 65536, i / 256 % 256, i % 256, 1000 + i % 60000, 0x10000 + i);
    return text;
}

/// Everything up to a stage, so that the next can be measured.
struct Stages {
    MemoryFiles files;
    Sources sources;
    Diagnostics diagnostics;
    Program program;
    Site site;
    Plan plan;
    Ruleset rules;

    explicit Stages(std::size_t services) : files({{"site.lb", text_of(services)}}) {
        program = load("site.lb", files, sources, diagnostics);
        site = resolve(program, diagnostics);
        plan = make_plan(site, {0});
        rules = layout_tree(site, plan.marks, Family::ipv4);
    }
};

std::size_t services_of(benchmark::State const& state) { return static_cast<std::size_t>(state.range(0)); }

void count_lines(benchmark::State& state) {
    auto const text = text_of(services_of(state));
    for (auto _ : state) {
        std::size_t lines = 0;
        char const* at = text.data();
        auto const* const end = at + text.size();
        while ((at = static_cast<char const*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)))) != nullptr) {
            ++lines;
            ++at;
        }
        benchmark::DoNotOptimize(lines);
    }
}

void parse_text(benchmark::State& state) {
    MemoryFiles files({{"site.lb", text_of(services_of(state))}});
    for (auto _ : state) {
        Sources sources;
        Diagnostics diagnostics;
        benchmark::DoNotOptimize(load("site.lb", files, sources, diagnostics));
    }
}

void resolve_names(benchmark::State& state) {
    Stages const stages(services_of(state));
    for (auto _ : state) {
        Diagnostics diagnostics;
        benchmark::DoNotOptimize(resolve(stages.program, diagnostics));
    }
}

void check_site(benchmark::State& state) {
    Stages const stages(services_of(state));
    for (auto _ : state) {
        Diagnostics diagnostics;
        check(stages.site, diagnostics);
    }
}

void plan_director(benchmark::State& state) {
    Stages const stages(services_of(state));
    for (auto _ : state)
        benchmark::DoNotOptimize(make_plan(stages.site, {0}));
}

void lay_out(benchmark::State& state) {
    Stages const stages(services_of(state));
    for (auto _ : state)
        benchmark::DoNotOptimize(layout_tree(stages.site, stages.plan.marks, Family::ipv4));
}

void print_rules(benchmark::State& state) {
    Stages const stages(services_of(state));
    for (auto _ : state)
        benchmark::DoNotOptimize(restore_text(stages.rules, {.director = "lb1"}));
}

void compile_all(benchmark::State& state) {
    MemoryFiles files({{"site.lb", text_of(services_of(state))}});
    for (auto _ : state) {
        Sources sources;
        Diagnostics diagnostics;
        auto const site = compile("site.lb", files, sources, diagnostics);
        auto const plan = make_plan(site, {0});
        benchmark::DoNotOptimize(restore_text(layout_tree(site, plan.marks, Family::ipv4), {.director = "lb1"}));
    }
}

constexpr int few = 1000;
constexpr int many = 10000;
constexpr int most = 50000;

BENCHMARK(count_lines)->Arg(few)->Arg(many)->Arg(most)->Unit(benchmark::kMillisecond);
BENCHMARK(parse_text)->Arg(few)->Arg(many)->Arg(most)->Unit(benchmark::kMillisecond);
BENCHMARK(resolve_names)->Arg(few)->Arg(many)->Arg(most)->Unit(benchmark::kMillisecond);
BENCHMARK(check_site)->Arg(few)->Arg(many)->Arg(most)->Unit(benchmark::kMillisecond);
BENCHMARK(plan_director)->Arg(few)->Arg(many)->Arg(most)->Unit(benchmark::kMillisecond);
BENCHMARK(lay_out)->Arg(few)->Arg(many)->Arg(most)->Unit(benchmark::kMillisecond);
BENCHMARK(print_rules)->Arg(few)->Arg(many)->Arg(most)->Unit(benchmark::kMillisecond);
BENCHMARK(compile_all)->Arg(few)->Arg(many)->Arg(most)->Unit(benchmark::kMillisecond);

} // namespace

int main(int argc, char** argv) {
    use_huge_pages();
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
}
