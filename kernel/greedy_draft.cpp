#include "greedy_draft.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "greedy_scan.hpp"

namespace deadband::greedy {

namespace {

constexpr double INFINITE = std::numeric_limits<double>::infinity();

// How far a step may go before |value + step·slope| reaches `bound`; none if it is past it.
double row_room(double value, double slope, double bound) {
    if (slope == 0.0 || bound == INFINITE) return INFINITE;
    const double ahead = slope > 0.0 ? bound - value : bound + value;
    return larger(0.0, ahead) / std::fabs(slope);
}

// What moves of at most two names do to the sectors they are in.
struct SectorSlopes {
    int64_t group[2];
    double net[2] = {0.0, 0.0}, gross[2] = {0.0, 0.0};
    int count = 0;

    void add(int64_t k, double change, double outward) {
        int at = 0;
        while (at < count && group[at] != k) ++at;
        if (at == count) group[count++] = k;
        net[at] += change;
        gross[at] += outward;
    }
};

}  // namespace

Draft::Draft(const Problem &given, const Columns &columns)
    : problem(given), out(columns), weights(columns.weights), turnover_left(given.turnover_left) {
    std::copy(given.current, given.current + given.n, weights);
    find_live(given, live_);
    sorted_ = live_.size();
    measure();
}

const std::vector<int64_t> &Draft::live() {
    if (sorted_ < live_.size()) {
        const auto middle = live_.begin() + static_cast<std::ptrdiff_t>(sorted_);
        std::sort(middle, live_.end());
        std::inplace_merge(live_.begin(), middle, live_.end());
        live_.erase(std::unique(live_.begin(), live_.end()), live_.end());
        sorted_ = live_.size();
    }
    return live_;
}

void Draft::measure() {
    used = exposure();
    open_[0] = open_[1] = 0;
    invested_[0] = invested_[1] = 0.0;
    for (int64_t name : live())
        if (weights[name] != 0.0) count(name, 0.0, weights[name]);
}

Exposure Draft::exposure() {
    Exposure sums;
    ExactSum gross, net, beta;
    for (int64_t name : live()) {
        const double w = weights[name];
        if (w == 0.0) continue;
        gross.add(std::fabs(w));
        net.add(w);
        if (problem.beta) beta.add(problem.beta[name] * w);
    }
    sums.gross = gross.value();
    sums.net = net.value();
    sums.beta = beta.value();
    if (problem.groups > 0) sum_groups(sums);
    return sums;
}

void Draft::sum_groups(Exposure &sums) {
    const size_t groups = static_cast<size_t>(problem.groups);
    sums.sector.assign(groups, 0.0);
    sums.sector_gross.assign(groups, 0.0);
    // A counting sort puts the members of a sector side by side.
    ends_.assign(groups + 1, 0);
    for (int64_t name : live_)
        if (const int64_t k = problem.sector_of(name); k >= 0) ++ends_[static_cast<size_t>(k) + 1];
    for (size_t k = 0; k < groups; ++k) ends_[k + 1] += ends_[k];
    members_.resize(ends_[groups]);
    for (int64_t name : live_)
        if (const int64_t k = problem.group[name]; k >= 0)
            members_[ends_[static_cast<size_t>(k)]++] = name;
    ExactSum net, gross;
    size_t i = 0;
    for (size_t k = 0; k < groups; ++k) {
        net.clear();
        gross.clear();
        for (; i < ends_[k]; ++i) {
            net.add(weights[members_[i]]);
            gross.add(std::fabs(weights[members_[i]]));
        }
        sums.sector[k] = net.value();
        sums.sector_gross[k] = gross.value();
    }
}

void Draft::count(int64_t name, double before, double after) {
    if (name == problem.hedge) return;
    for (const double side : {1.0, -1.0}) {
        const int at = side < 0.0;
        invested_[at] += larger(0.0, side * after) - larger(0.0, side * before);
        open_[at] += int64_t{side * after > 0.0} - int64_t{side * before > 0.0};
    }
}

Room Draft::room(Move one, Move other) const {
    const Move moves[2] = {one, other};
    return room(moves, 2);
}

Room Draft::room(const Move *moves, int count) const {
    double net = 0.0, gross = 0.0, beta = 0.0;
    SectorSlopes sectors;
    bool hedging = false;
    for (int i = 0; i < count; ++i) {
        const auto [name, change] = moves[i];
        const double here = sign(weights[name]);
        const double outward = change * (here != 0.0 ? here : sign(change));
        net += change;
        gross += outward;
        const int64_t k = problem.sector_of(name);
        if (k >= 0) sectors.add(k, change, outward);
        if (problem.beta) beta += change * problem.beta[name];
        hedging = hedging || name == problem.hedge;
    }
    const double lent = hedging ? INFINITE : hedge_reach(beta);
    Room least = {row_room(used.net, net, problem.net_cap), limit::NET};
    const auto consider = [&least](double step, int16_t limit) {
        if (step < least.step) least = {step, limit};
    };
    consider(row_room(used.gross, gross, problem.gross_cap), limit::GROSS);
    consider(row_room(used.beta, beta, problem.beta_cap + lent), limit::BETA);
    for (int i = 0; i < sectors.count; ++i) {
        const size_t k = static_cast<size_t>(sectors.group[i]);
        consider(row_room(used.sector[k], sectors.net[i], problem.sector_cap[k]), limit::SECTOR);
        consider(row_room(used.sector_gross[k], sectors.gross[i], problem.sector_gross_cap[k]),
                 limit::SECTOR_GROSS);
    }
    return least;
}

// Beta that the hedge can still take over from a book whose beta moves along `slope`.
double Draft::hedge_reach(double slope) const {
    const int64_t hedge = problem.hedge;
    if (hedge < 0 || !problem.beta || problem.cut[hedge]) return 0.0;
    double low, high;
    hedge_box(problem, low, high);
    const double against = -sign(slope) * problem.beta[hedge];
    const double down = against * (low - weights[hedge]), up = against * (high - weights[hedge]);
    return larger(larger(0.0, down), up);
}

double Draft::name_turnover_left(int64_t name) const {
    const double moved = std::fabs(weights[name] - problem.current[name]);
    return larger(0.0, problem.name_turnover_cap - moved);
}

void Draft::move(int64_t name, double change, int16_t code, const Facts &facts) {
    const double before = weights[name];
    double after = before + change;
    // A weight that was meant to be closed is closed, not left at its rounding error.
    if (std::fabs(after) < NOTHING) after = 0.0;
    weights[name] = after;
    if (before == 0.0) live_.push_back(name);
    count(name, before, after);
    const double outward = std::fabs(after) - std::fabs(before);
    used.net += after - before;
    used.gross += outward;
    if (const int64_t k = problem.sector_of(name); k >= 0) {
        used.sector[static_cast<size_t>(k)] += after - before;
        used.sector_gross[static_cast<size_t>(k)] += outward;
    }
    if (problem.beta) used.beta += (after - before) * problem.beta[name];
    turnover_left = larger(0.0, turnover_left - std::fabs(after - before));
    parts_.push_back({name, code, std::fabs(change), facts});
}

void Draft::refuse(int64_t name, int16_t code, int16_t limit, const Facts &facts) {
    out.limit[name] = limit;
    out.counterpart[name] = facts.counterpart;
    out.gap[name] = facts.gap;
    out.gain[name] = facts.gain;
    out.cost[name] = facts.cost;
    if (out.code[name] != code::HOLD_KEEP && out.code[name] != code::CAP_FROZEN)
        out.code[name] = code;
}

void hedge_box(const Problem &problem, double &low, double &high) {
    const int64_t name = problem.hedge;
    low = problem.low[name];
    high = problem.high[name];
    const double boxes[2][2] = {{problem.low_cap[name], problem.high_cap[name]},
                                {problem.hard_low[name], problem.hard_high[name]}};
    for (const auto &[floor, ceiling] : boxes) {
        low = smaller(larger(low, floor), ceiling);
        high = smaller(larger(high, floor), ceiling);
    }
}

}  // namespace deadband::greedy
