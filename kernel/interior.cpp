#include "interior.hpp"

#include <algorithm>
#include <cmath>

#include "interior_direction.hpp"

namespace deadband {

namespace {

constexpr int64_t MOST_ITERATIONS = 100;
constexpr int CORRECTIONS = 3;
constexpr double PASSED = 1e-11;       // a limit may be passed by, fraction of NAV
constexpr double LEAST_TARGET = 1e-3;  // of the mean product
constexpr double SHORT_OF = 0.995;     // of the way to where a gap or dual is zero
constexpr double LONG_ENOUGH = 0.9;    // steps that no correction is tried for
constexpr double LONGER = 0.08;        // how much further a correction looks
constexpr double GAIN = 0.01;          // and has to get
// Once products are this small beside the gap asked for, what is left of it is rounding: this many
// times as much will do, within so many tries.
constexpr double SPENT = 1e-4, NOISE = 10.0;
constexpr int64_t LAST_TRIES = 8;
constexpr double FUTILE = 1e8;         // prices that prove more than this prove that nothing fits

struct Steps {
    double primal, dual;

    double shorter() const { return std::min(primal, dual); }
};

class Iteration {
public:
    Iteration(InteriorPoint &point, InteriorDirection &direction, bool together)
        : point_(point), direction_(direction), together_(together) {}

    bool run() {
        if (!direction_.factor()) return false;
        InteriorPairs &pairs = point_.pairs;
        const double mean = pairs.product(0.0, 0.0);
        std::fill(pairs.goal.begin(), pairs.goal.end(), 0.0);
        Steps steps = aim();
        const double ratio = pairs.product(steps.primal, steps.dual) / mean;
        const double target = std::max(LEAST_TARGET, ratio * ratio * ratio) * mean;
        pairs.center(target);
        steps = corrected(aim(), target);
        const auto damped = [](double step) { return step < 1.0 ? SHORT_OF * step : step; };
        direction_.advance(damped(steps.primal), damped(steps.dual));
        return true;
    }

private:
    Steps aim() {
        direction_.aim();
        const Steps steps{point_.pairs.primal_reach(), point_.pairs.dual_reach()};
        return together_ ? Steps{steps.shorter(), steps.shorter()} : steps;
    }

    Steps corrected(Steps steps, double target) {
        InteriorPairs &pairs = point_.pairs;
        for (int c = 0; c < CORRECTIONS && steps.shorter() < LONG_ENOUGH; ++c) {
            const double reach = std::min(1.0, steps.shorter() * (1.0 + LONGER) + LONGER);
            if (!pairs.recenter(target, reach, reach)) break;
            direction_.keep();
            const Steps now = aim();
            if (now.shorter() < steps.shorter() + GAIN) {
                direction_.restore();
                break;
            }
            steps = now;
        }
        return steps;
    }

    InteriorPoint &point_;
    InteriorDirection &direction_;
    bool together_;
};

enum class Outcome { CONVERGED, IMPOSSIBLE, LOST };

Outcome iterate(InteriorPoint &point, Iteration iteration, double accuracy, int64_t *iterations) {
    int64_t in_noise = 0;
    for (int64_t count = 0; count <= MOST_ITERATIONS; ++count, ++*iterations) {
        point.measure();
        if (!point.finite()) return Outcome::LOST;
        const double unit = 1.0 + std::fabs(point.value), asked = accuracy * unit;
        const double products = point.pairs.product(0.0, 0.0) * static_cast<double>(point.pairs.count());
        if (products <= SPENT * asked) ++in_noise;
        const double enough = in_noise > 0 ? NOISE * asked : asked;
        if (std::fabs(point.gap) <= enough && point.passed <= PASSED) return Outcome::CONVERGED;
        if (point.gap < -FUTILE * unit) return Outcome::IMPOSSIBLE;
        if (in_noise > LAST_TRIES || count == MOST_ITERATIONS || !iteration.run()) break;
    }
    return Outcome::LOST;
}

}  // namespace

InteriorAnswer solve_interior(const Program &program, const Lapack &lapack, double accuracy) {
    InteriorAnswer answer;
    answer.weights.assign(program.n, 0.0);
    answer.prices.assign(program.limits(), 0.0);
    const InteriorProblem problem(program);
    if (!problem.possible) return answer;
    if (problem.n == 0) {
        answer.converged = problem.bases_fit(PASSED);
        problem.spread(nullptr, answer.weights.data());
        return answer;
    }
    const bool dense = program.matrix != nullptr;
    const auto system = dense ? dense_interior(problem, lapack) : factor_interior(problem);
    // Steps of different length are quicker, steps of one length surer.
    Outcome outcome = Outcome::LOST;
    for (bool together : {false, true}) {
        if (outcome != Outcome::LOST) break;
        InteriorPoint point(problem, *system);
        InteriorDirection direction(problem, *system, point);
        outcome = iterate(point, Iteration(point, direction, together), accuracy, &answer.iterations);
        answer.converged = outcome == Outcome::CONVERGED && !problem.escaped(point.weights.data());
        if (!answer.converged) continue;
        problem.spread(point.weights.data(), answer.weights.data());
        for (int64_t r = 0; r < problem.row_count(); ++r)
            answer.prices[problem.rows[r].limit] = point.prices[r];
    }
    return answer;
}

}  // namespace deadband
