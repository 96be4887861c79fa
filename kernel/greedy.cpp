#include "greedy.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "greedy_codes.hpp"
#include "greedy_draft.hpp"
#include "greedy_side.hpp"
#include "greedy_trade.hpp"
#include "greedy_trim.hpp"

namespace deadband::greedy {

namespace {

// Names that must go leave, whatever turnover says.
void cut(Draft &draft) {
    const Problem &p = draft.problem;
    const std::vector<int64_t> names = draft.live();
    for (int64_t name : names) {
        if (!p.cut[name]) continue;
        const double zero = smaller(larger(0.0, p.hard_low[name]), p.hard_high[name]);
        const double change = zero - draft.weights[name];
        if (change != 0.0)
            draft.move(name, change, p.cut[name], {-1, 0.0, 0.0, p.cost[name]});
        else
            draft.refuse(name, code::HOLD_LIMIT, limit::PERMIT);
    }
}

// Takes the book's beta into the hedge instrument, as far as its cap, GROSS and NET allow.
void hedge(Draft &draft) {
    const Problem &p = draft.problem;
    const int64_t name = p.hedge;
    if (!p.beta || p.beta[name] == 0.0 || p.cut[name]) return;
    double low, high;
    hedge_box(p, low, high);
    double wanted = draft.weights[name] - draft.used.beta / p.beta[name];
    wanted = smaller(larger(wanted, low), high);
    double change = wanted - draft.weights[name];
    const double direction = sign(change);
    if (direction == 0.0) return;
    // Crossing zero first frees gross, then uses it: walk in two legs.
    for (int walked = 0; walked < 2; ++walked) {
        const double here = draft.weights[name];
        const double leg = here * direction < 0.0 ? std::fabs(here)
                                                  : std::numeric_limits<double>::infinity();
        const double room = draft.room({name, direction}).step;
        const double step = smaller(smaller(std::fabs(change), leg), room);
        if (step <= NOTHING) return;
        draft.move(name, direction * step, code::HEDGE_BETA);
        change -= direction * step;
    }
}

}  // namespace

void rotate_top_k(const Problem &problem, const Config &config, const Columns &out) {
    Draft draft(problem, out);
    rest(draft, config);
    const bool hedged = problem.hedge >= 0;
    cut(draft);
    trim(draft, !hedged);
    std::vector<Side> books = sides(draft, config);
    buy(draft, books, config);
    for (const Side &side : books) rotate(draft, side, config);
    if (hedged) hedge(draft);
    draft.measure();
    trim(draft, true);
    speak(draft);
}

}  // namespace deadband::greedy
