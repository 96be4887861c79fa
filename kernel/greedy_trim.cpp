#include "greedy_trim.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace deadband::greedy {

namespace {

// One limit as a row of coefficients, as trim.py's _rows has it.
struct Row {
    enum Kind { SECTOR, SECTOR_GROSS, BETA, NET, GROSS } kind;
    int64_t group;
    double bound;
    int16_t code;

    double coefficient(const Problem &problem, int64_t name, double side) const {
        switch (kind) {
            case SECTOR: return problem.group[name] == group ? 1.0 : 0.0;
            case SECTOR_GROSS: return problem.group[name] == group ? side : 0.0;
            case BETA: return problem.beta[name];
            case NET: return 1.0;
            default: return side;
        }
    }
};

// In the order of repair.
template <typename Use>
void each_row(const Problem &problem, bool beta, Use use) {
    for (int64_t k = 0; k < problem.groups; ++k) {
        use(Row{Row::SECTOR, k, problem.sector_cap[k], code::CAP_SECTOR});
        if (problem.sector_gross_cap[k] < std::numeric_limits<double>::infinity())
            use(Row{Row::SECTOR_GROSS, k, problem.sector_gross_cap[k], code::CAP_SECTOR});
    }
    if (beta && problem.beta) use(Row{Row::BETA, -1, problem.beta_cap, code::CAP_BETA});
    use(Row{Row::NET, -1, problem.net_cap, code::CAP_NET});
    use(Row{Row::GROSS, -1, problem.gross_cap, code::CAP_GROSS});
}

void trim_names(Draft &draft) {
    const Problem &p = draft.problem;
    // A copy: moves may add to what is live.
    const std::vector<int64_t> names = draft.live();
    for (int64_t name : names) {
        const double w = draft.weights[name];
        double wanted = std::min(std::max(w, p.low_cap[name]), p.high_cap[name]);
        wanted = std::min(std::max(wanted, p.hard_low[name]), p.hard_high[name]);
        if (wanted != w) draft.move(name, wanted - w, code::CAP_NAME);
    }
}

bool breached(Draft &draft, bool beta) {
    const Problem &p = draft.problem;
    const Exposure used = draft.exposure();
    for (int64_t name : draft.live()) {
        const double w = draft.weights[name];
        if (!keeps(std::max(w - p.high_cap[name], p.low_cap[name] - w), 0.0)) return true;
    }
    if (!keeps(std::fabs(used.net), p.net_cap) || !keeps(used.gross, p.gross_cap)) return true;
    if (beta && !keeps(std::fabs(used.beta), p.beta_cap)) return true;
    for (size_t k = 0; k < used.sector.size(); ++k) {
        if (!keeps(std::fabs(used.sector[k]), p.sector_cap[k])) return true;
        if (!keeps(used.sector_gross[k], p.sector_gross_cap[k])) return true;
    }
    return false;
}

// A name whose shrinking helps a row: what it loses and gives per unit of weight, how far it may.
struct Helper {
    int64_t name;
    double loss, side, relief, free;
};

std::vector<Helper> helpers(Draft &draft, const Row &row, double value) {
    const Problem &p = draft.problem;
    std::vector<Helper> found;
    for (int64_t name : draft.live()) {
        const double w = draft.weights[name], size = std::fabs(w);
        const double side = sign(w);
        const double relief = sign(value) * row.coefficient(p, name, side) * side;
        const double floor = std::max(0.0, side > 0.0 ? p.hard_low[name] : -p.hard_high[name]);
        const double free = size - std::min(floor, size);
        if (relief > 0.0 && free > NOTHING)
            found.push_back(
                {name, (side * p.edge[name] + p.cost[name]) / relief, side, relief, free});
    }
    std::sort(found.begin(), found.end(), [&p](const Helper &a, const Helper &b) {
        if (a.loss != b.loss) return a.loss < b.loss;
        return p.symbols->before(a.name, b.name) ||
               (!p.symbols->before(b.name, a.name) && a.name < b.name);
    });
    return found;
}

// Shrinks names, least loss of U per unit of relief first, until |row·w| ≤ bound.
void relieve(Draft &draft, const Row &row) {
    ExactSum sum;
    for (int64_t name : draft.live()) {
        const double w = draft.weights[name];
        sum.add(row.coefficient(draft.problem, name, sign(w)) * w);
    }
    const double value = sum.value();
    double excess = std::fabs(value) - row.bound;
    if (excess <= TOLERANCE) return;
    for (const Helper &one : helpers(draft, row, value)) {
        if (excess <= TOLERANCE) return;
        const double room = draft.room({one.name, -one.side}).step;
        const double step = smaller(smaller(one.free, excess / one.relief), room);
        if (step > NOTHING) {
            draft.move(one.name, -one.side * step, row.code);
            excess -= step * one.relief;
        }
    }
}

// The largest factor of all movable weights that keeps every row.
double common_factor(Draft &draft, bool beta) {
    const Problem &p = draft.problem;
    double factor = 1.0;
    each_row(p, beta, [&](const Row &row) {
        ExactSum fixed, moving;
        for (int64_t name : draft.live()) {
            const double w = draft.weights[name];
            const bool movable = p.hard_low[name] != p.hard_high[name];
            (movable ? moving : fixed).add(row.coefficient(p, name, sign(w)) * w);
        }
        const double base = fixed.value(), slope = moving.value();
        if (!keeps(std::fabs(base + slope), row.bound) && slope != 0.0) {
            const double reach = (sign(slope) * row.bound - base) / slope;
            factor = smaller(factor, larger(0.0, reach));
        }
    });
    return factor;
}

void shrink_together(Draft &draft, bool beta) {
    const Problem &p = draft.problem;
    const double factor = common_factor(draft, beta);
    const std::vector<int64_t> names = draft.live();
    for (int64_t name : names) {
        if (p.hard_low[name] == p.hard_high[name]) continue;
        const double change = -(1.0 - factor) * draft.weights[name];
        if (change != 0.0) draft.move(name, change, code::CAP_GROSS);
    }
    draft.measure();
}

}  // namespace

void trim(Draft &draft, bool beta) {
    trim_names(draft);
    if (!breached(draft, beta)) return;
    for (int pass = 0; pass < 2; ++pass)
        each_row(draft.problem, beta, [&draft](const Row &row) { relieve(draft, row); });
    if (breached(draft, beta)) shrink_together(draft, beta);
}

}  // namespace deadband::greedy
