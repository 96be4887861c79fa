#include "greedy_codes.hpp"

#include <algorithm>
#include <cmath>

namespace deadband::greedy {

namespace {

// The whole number of 1e-12 nearest to x, half-way cases to even, as round(x, 12) has it.
double in_trillionths(double x) {
    const double product = x * 1e12;
    const double error = std::fma(x, 1e12, -product);
    const double whole = std::floor(product);
    const double past_half = ((product - whole) - 0.5) + error;
    if (past_half == 0.0) return std::fmod(whole, 2.0) == 0.0 ? whole : whole + 1.0;
    return past_half > 0.0 ? whole + 1.0 : whole;
}

int step_of(int16_t code) {
    return code == code::BUY_TOP_K ? 0 : code == code::BUY_BETTER ? 1 : -1;
}

// Whether `a` is the larger part; of equal ones, the earlier step's.
bool outweighs(const Part &a, const Part &b) {
    const double mine = in_trillionths(a.amount), other = in_trillionths(b.amount);
    return mine != other ? mine > other : step_of(a.code) < step_of(b.code);
}

// Adds the moves of one name up by code, each code in the place of its first.
void add_up(std::vector<Part>::const_iterator from, std::vector<Part>::const_iterator to,
            std::vector<Part> &sums) {
    sums.clear();
    for (auto move = from; move != to; ++move) {
        const auto same = std::find_if(sums.begin(), sums.end(),
                                       [move](const Part &one) { return one.code == move->code; });
        if (same == sums.end()) {
            sums.push_back(*move);
        } else {
            same->amount = move->amount + same->amount;
            same->facts = move->facts;
        }
    }
}

}  // namespace

void rest(Draft &draft, const Config &config) {
    const Problem &p = draft.problem;
    int16_t *code = draft.out.code;
    std::fill(code, code + p.n, int16_t{code::HOLD_FLAT});
    std::fill(draft.out.counterpart, draft.out.counterpart + p.n, int64_t{-1});
    const auto is_frozen = [&p](int64_t i) {
        return p.hard_low[i] == p.hard_high[i] && p.current[i] != 0.0;
    };
    ExactSum stuck;
    for (int64_t name : draft.live())
        if (is_frozen(name)) stuck.add(std::fabs(p.current[name]));
    const bool together = !keeps(stuck.value(), p.mandate_gross);
    for (int64_t name : draft.live()) {
        const double side = sign(p.current[name]);
        if (side == 0.0) continue;
        const bool keep = p.scored[name] && side * p.z[name] > config.z_keep - EQUALITY;
        code[name] = keep ? code::HOLD_KEEP : code::HOLD_RANK;
        const double cap = name == p.hedge ? config.hedge_cap : config.per_name_cap;
        const bool alone = std::fabs(p.current[name]) > cap + config.repair_tolerance;
        if (is_frozen(name) && (alone || together)) code[name] = code::CAP_FROZEN;
    }
}

void speak(Draft &draft) {
    const Columns &out = draft.out;
    std::vector<Part> moves = draft.parts();
    std::stable_sort(moves.begin(), moves.end(),
                     [](const Part &a, const Part &b) { return a.name < b.name; });
    std::vector<Part> sums;
    for (auto from = moves.cbegin(); from != moves.cend();) {
        const int64_t name = from->name;
        const auto to = std::find_if(from, moves.cend(),
                                     [name](const Part &one) { return one.name != name; });
        if (draft.weights[name] != draft.problem.current[name]) {
            add_up(from, to, sums);
            const Part *speaker = &sums.front();
            for (const Part &one : sums)
                if (outweighs(one, *speaker)) speaker = &one;
            out.code[name] = speaker->code;
            out.limit[name] = limit::NONE;
            out.counterpart[name] = speaker->facts.counterpart;
            out.gap[name] = speaker->facts.gap;
            out.gain[name] = speaker->facts.gain;
            out.cost[name] = speaker->facts.cost;
        }
        from = to;
    }
}

}  // namespace deadband::greedy
