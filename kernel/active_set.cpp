#include "active_set.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "descent.hpp"
#include "free_system.hpp"
#include "gradient.hpp"
#include "kinks.hpp"
#include "limits.hpp"

namespace deadband {

namespace {

constexpr double PENALTY = 1e4;           // of a passed limit, times the largest slope
constexpr double RAISE = 100.0;           // of the penalty, once, when limits stay passed
constexpr double TOLERANCE = 1e-11;       // of a slope, times the largest of scores and costs
constexpr double RISK_TOLERANCE = 1e-13;  // or times the largest of risk
constexpr double AT_BOUND = 1e-6;         // a limit this near its bound may start active
constexpr double NO_STEP = 1e-15;         // a weight change that is none
constexpr double NO_SLOPE = 1e-10;        // a limit's change, per longest weight change, that is none
constexpr double ROUNDING = 1e-13;        // of a step, times what it would be without limits
constexpr double LAST_BITS = 1e-15;       // of a limit
constexpr int64_t SHORT_LIST = 24;        // names priced first
constexpr int64_t PATIENCE = 40;          // steps without length before the least index rules
constexpr int64_t CORRECTIONS = 6;        // last steps back to the bounds
constexpr int64_t CENTERS = 60;           // of the proximal term
constexpr int64_t SHORTEN = 6;            // centers after which that term is weakened
constexpr double WEAKEN = 8.0;            // by this
constexpr double LINEAR_RIDGE = 0.3;      // its weight, times the largest slope of scores and costs
constexpr double QUADRATIC_RIDGE = 1e-4;  // or times the mean curvature

struct Release {
    int64_t name = -1;
    int64_t segment = 0;
    double gain = 0.0;
};

// What ends a step: a limit, else the free name at `position`, else nothing.
struct Block {
    double length = 1.0;
    int64_t position = -1;
    int64_t limit = -1;
    Side side = Side::IDLE;
};

class ActiveSet {
public:
    ActiveSet(const Program &program, const ActiveSetOptions &options, double *weights)
        : p_(program),
          options_(options),
          w_(weights),
          kinks_(program),
          size_(edge_size(program)),
          risk_(risk_size(program)),
          tolerance_(std::max(TOLERANCE * size_, RISK_TOLERANCE * risk_)),
          gradient_(program, weights),
          limits_(program, kinks_, PENALTY * std::max(size_, risk_)),
          rest_(program.n),
          position_(program.n, -1),
          slopes_(program.n),
          most_free_(options.most_free) {}

    ActiveSetResult run(double *prices) {
        if (options_.descend && p_.has_risk() && descend(p_, kinks_, gradient_, w_)) most_free_ = p_.n + 1;
        if (start(prices)) result_.outcome = pivot();
        std::fill(prices, prices + p_.limits(), 0.0);
        for (int64_t l : limits_.live()) prices[l] = limits_.price(l);
        return result_;
    }

private:
    // The largest slope that scores and costs make.
    static double edge_size(const Program &p) {
        double size = 1e-12;
        for (int64_t i = 0; i < p.n; ++i) size = std::max(size, std::fabs(p.linear[i]));
        for (int64_t l = 0; l < p.layers * p.n; ++l) size = std::max(size, p.hinge_weight[l]);
        return size;
    }

    // The largest slope that risk makes where every name is as far out as it may be, alone.
    static double risk_size(const Program &p) {
        double size = 0.0;
        if (!p.has_risk()) return size;
        for (int64_t i = 0; i < p.n; ++i) {
            const double reach = std::max(std::fabs(p.low[i]), std::fabs(p.high[i]));
            size = std::max(size, 2.0 * p.risk_weight * p.scale[i] * p.scale[i] * std::min(reach, 1.0));
        }
        return size;
    }

    // --- start ------------------------------------------------------------------------------

    // False where the names that start free make no definite matrix even with a proximal term.
    bool start(const double *prices) {
        std::vector<int64_t> loose;
        for (int64_t i = 0; i < p_.n; ++i) {
            const int64_t j = kinks_.nearest(i, w_[i], options_.snap);
            if (j < 0) {
                loose.push_back(i);
                continue;
            }
            rest_at(i, j);
        }
        const bool singular = !p_.has_risk() || !begin(loose, 0.0);
        if (singular && !begin(loose, ridge())) return false;
        limits_.measure(w_);
        for (int64_t l : limits_.live())
            if (prices[l] != 0.0) start_active(l);
        return true;
    }

    void rest_at(int64_t name, int64_t j) {
        const double change = kinks_.at(name, j) - w_[name];
        rest_[name] = j;
        if (change == 0.0) return;
        w_[name] = kinks_.at(name, j);
        gradient_.moved(name, change);
    }

    // A fresh system with these names free and no limit active.
    bool begin(const std::vector<int64_t> &names, double ridge) {
        system_ = p_.matrix ? dense_system(p_, ridge) : factor_system(p_, ridge);
        gradient_.set_ridge(ridge, w_);
        free_.clear();
        segment_.clear();
        free_gradient_.clear();
        for (int64_t l : active_) limits_.release(l);
        active_.clear();
        for (int64_t i : names) {
            const int64_t j = kinks_.segment(i, w_[i]);
            if (!system_->add_name(i, nullptr)) return false;
            enlist(i, j);
        }
        return true;
    }

    double ridge() const {
        if (!p_.has_risk()) return LINEAR_RIDGE * size_;
        double variance = 0.0;
        for (int64_t i = 0; i < p_.n; ++i) variance += p_.scale[i] * p_.scale[i];
        return QUADRATIC_RIDGE * 2.0 * p_.risk_weight * variance / static_cast<double>(p_.n);
    }

    void start_active(int64_t limit) {
        limits_.activate(limit, limits_.nearest_side(limit));
        if (!(std::fabs(limits_.gap(limit)) <= AT_BOUND) || !hold(limit)) limits_.release(limit);
    }

    // --- the pivots -------------------------------------------------------------------------

    Outcome pivot() {
        bool settled = free_.empty();
        int64_t corrections = 0;
        while (true) {
            if (++result_.pivots > options_.most_pivots) return Outcome::PIVOTS;
            limits_.price_idle();
            if (!settled) {
                settled = step();
                continue;
            }
            if (let_go()) {
                settled = false;
                continue;
            }
            const Release next = price();
            if (next.name >= 0) {
                if (static_cast<int64_t>(free_.size()) >= most_free_) return Outcome::FREE;
                if (!free(next) && !free_with_ridge(next)) return Outcome::STUCK;
                settled = false;
                continue;
            }
            if (gradient_.ridge() > 0.0 && gradient_.recenter(w_) > tolerance_) {
                if (!recenter()) return Outcome::STUCK;
                settled = free_.empty();
                continue;
            }
            // Values and gradients were summed afresh: one more step takes out what rounding left.
            if (corrections++ == 0 || (corrections <= CORRECTIONS && off_bounds())) {
                settled = free_.empty() || step(true);
                continue;
            }
            if (!limits_.any_passed()) return Outcome::OPTIMAL;
            // A price beyond what was thought possible may be needed, once, before giving up.
            if (raised_) return Outcome::PASSED;
            raised_ = true;
            limits_.raise_penalty(RAISE);
            settled = free_.empty();
        }
    }

    // One step towards the minimum on the free names; true when nothing stopped it.
    bool step(bool correcting = false) {
        const int64_t m = static_cast<int64_t>(free_.size());
        solve();
        double longest = 0.0;
        for (int64_t a = 0; a < m; ++a) longest = std::max(longest, std::fabs(p_step_[a]));
        const double noise = rounding();
        // As many limits as names leave no way to go, but the last bits back to the bounds.
        if (longest <= noise || (!correcting && active_.size() == free_.size())) return true;
        const Block block = first_block(longest, noise);
        stalled_ = block.length * longest <= NO_STEP ? stalled_ + 1 : 0;
        move(block.length);
        if (block.limit >= 0) {
            limits_.activate(block.limit, block.side);
            // One that depends on the active ones only seemed to move, by rounding.
            dependent_ = hold(block.limit) ? -1 : block.limit;
            if (dependent_ >= 0) limits_.release(block.limit);
            return false;
        }
        dependent_ = -1;
        if (block.position < 0) return true;
        come_to_rest(block.position);
        return false;
    }

    // The first kink or bound on the way, or the step's end.
    Block first_block(double longest, double noise) {
        Block block;
        const bool cautious = stalled_ > PATIENCE;
        for (int64_t a = 0; a < static_cast<int64_t>(free_.size()); ++a) {
            // What rounding left of no move at all must not send a name to rest: limits that lean on
            // it alone would come to depend on each other.
            if (std::fabs(p_step_[a]) <= noise) continue;
            const double reach = reach_kink(a);
            const bool tie = cautious && block.position >= 0 && reach == block.length &&
                             free_[a] < free_[block.position];
            if (reach < block.length || tie) {
                block.length = reach;
                block.position = a;
            }
        }
        limits_.slopes(free_, segment_, p_step_.data());
        for (int64_t l : limits_.live()) {
            if (limits_.side(l) != Side::IDLE || l == dependent_) continue;
            Side at = Side::IDLE;
            const double reach = limits_.reach(l, std::max(NO_SLOPE * longest, noise), &at);
            if (reach < block.length) {
                block.length = reach;
                block.limit = l;
                block.side = at;
            }
        }
        return block;
    }

    // The step and the prices. A limit that has come to depend on the others is held by them: let
    // go, it comes back when a name that makes a difference is freed.
    void solve() {
        const size_t m = free_.size();
        right_.resize(m);
        p_step_.resize(m);
        gaps_.resize(active_.size());
        prices_.resize(active_.size());
        for (size_t a = 0; a < m; ++a) right_[a] = -(free_gradient_[a] + idle_slope(a));
        for (size_t k = 0; k < active_.size(); ++k) gaps_[k] = limits_.gap(active_[k]);
        int64_t k;
        while ((k = system_->solve(right_.data(), gaps_.data(), p_step_.data(), prices_.data())) >= 0) {
            gaps_.erase(gaps_.begin() + k);
            prices_.pop_back();
            release(k);
        }
        for (size_t a = 0; a < active_.size(); ++a) limits_.set_price(active_[a], prices_[a]);
    }

    void release(int64_t k) {
        limits_.release(active_[k]);
        system_->remove_limit(k);
        active_.erase(active_.begin() + k);
    }

    // Slope of a free name from its hinges and from limits that are passed; active ones come out
    // of the system.
    double idle_slope(size_t a) {
        const int64_t i = free_[a], j = segment_[a];
        double slope = kinks_.hinge_slope(i, j);
        for (int64_t l : limits_.live())
            if (limits_.side(l) == Side::IDLE && limits_.price(l) != 0.0)
                slope += limits_.price(l) * limits_.coefficient(l, i, j);
        return slope;
    }

    // How large a step may be that is nothing but rounding.
    double rounding() const {
        double size = NO_STEP;
        for (size_t a = 0; a < free_.size(); ++a) {
            const double s = p_.scale[free_[a]];
            const double variance = (p_.has_risk() ? 2.0 * p_.risk_weight * s * s : 0.0) + gradient_.ridge();
            size = std::max(size, ROUNDING * std::fabs(right_[a]) / variance);
        }
        return size;
    }

    double reach_kink(int64_t a) const {
        const int64_t i = free_[a], j = segment_[a];
        const double p = p_step_[a];
        if (p == 0.0) return std::numeric_limits<double>::infinity();
        return std::max(0.0, (kinks_.at(i, p > 0.0 ? j + 1 : j) - w_[i]) / p);
    }

    void move(double length) {
        for (size_t a = 0; a < free_.size(); ++a) {
            const double change = length * p_step_[a];
            if (change == 0.0) continue;
            const int64_t i = free_[a], j = segment_[a];
            // Rounding must not carry a weight out of its segment.
            const double there = std::min(std::max(w_[i] + change, kinks_.at(i, j)), kinks_.at(i, j + 1));
            gradient_.moved(i, there - w_[i]);
            w_[i] = there;
        }
        limits_.advance(length);
        // H p = right − Aᵀy, so the gradient follows without another product.
        for (size_t a = 0; a < free_.size(); ++a) {
            double along = right_[a];
            for (size_t k = 0; k < active_.size(); ++k)
                along -= prices_[k] * limits_.coefficient(active_[k], free_[a], segment_[a]);
            free_gradient_[a] += length * along;
        }
    }

    // --- names and limits come and go ---------------------------------------------------------

    void enlist(int64_t name, int64_t segment) {
        position_[name] = static_cast<int64_t>(free_.size());
        free_.push_back(name);
        segment_.push_back(segment);
        free_gradient_.push_back(gradient_.of(name, w_[name]));
        result_.most_free = std::max(result_.most_free, static_cast<int64_t>(free_.size()));
    }

    bool free(const Release &next) {
        right_.resize(active_.size());
        for (size_t k = 0; k < active_.size(); ++k)
            right_[k] = limits_.coefficient(active_[k], next.name, next.segment);
        if (!system_->add_name(next.name, right_.data())) return false;
        enlist(next.name, next.segment);
        return true;
    }

    void come_to_rest(int64_t a) {
        const int64_t i = free_[a], j = segment_[a] + (p_step_[a] > 0.0 ? 1 : 0);
        system_->remove_name(a);
        free_.erase(free_.begin() + a);
        segment_.erase(segment_.begin() + a);
        free_gradient_.erase(free_gradient_.begin() + a);
        for (size_t b = a; b < free_.size(); ++b) position_[free_[b]] = static_cast<int64_t>(b);
        position_[i] = -1;
        rest_at(i, j);
    }

    bool hold(int64_t limit) {
        right_.resize(free_.size());
        for (size_t a = 0; a < free_.size(); ++a)
            right_[a] = limits_.coefficient(limit, free_[a], segment_[a]);
        if (!system_->add_limit(right_.data())) return false;
        active_.push_back(limit);
        return true;
    }

    // The active limit whose price is most wrong is let go.
    bool let_go() {
        int64_t worst = -1;
        double most = tolerance_;
        for (size_t k = 0; k < active_.size(); ++k) {
            const double wrong = limits_.wrong(active_[k]);
            if (wrong > most) {
                most = wrong;
                worst = static_cast<int64_t>(k);
                if (stalled_ > PATIENCE) break;
            }
        }
        if (worst < 0) return false;
        release(worst);
        return true;
    }

    // The matrix is singular on the names that would be free: a proximal term makes it definite.
    bool free_with_ridge(const Release &next) {
        return gradient_.ridge() == 0.0 && rebuild(ridge()) && free(next);
    }

    // The same free names and active limits, in a system with another proximal term.
    bool rebuild(double ridge) {
        const std::vector<int64_t> names = free_, held = active_, segments = segment_;
        std::vector<Side> sides;
        for (int64_t l : held) sides.push_back(limits_.side(l));
        if (!begin(names, ridge)) return false;
        segment_ = segments;
        for (size_t k = 0; k < held.size(); ++k) {
            limits_.activate(held[k], sides[k]);
            if (!hold(held[k])) return false;
        }
        return true;
    }

    // The proximal term's centre moves to the answer; one that is long in coming gets a weaker term.
    bool recenter() {
        if (++centers_ % SHORTEN == 0) return rebuild(gradient_.ridge() / WEAKEN);
        refresh();
        return centers_ <= CENTERS;
    }

    // --- pricing ------------------------------------------------------------------------------

    Release price() {
        if (stalled_ <= PATIENCE) {
            Release best;
            for (int64_t i : listed_) {
                if (position_[i] >= 0) continue;
                consider(i, gradient_.of(i, w_[i]) + limits_.linear_price(i), &best);
            }
            if (best.name >= 0) return best;
        }
        return price_all();
    }

    Release price_all() {
        ++result_.pricings;
        refresh();
        limits_.add_linear_prices(slopes_.data());
        Release best;
        found_.clear();
        for (int64_t i = 0; i < p_.n; ++i) {
            if (position_[i] >= 0 || kinks_.count(i) < 2) continue;
            Release one;
            consider(i, slopes_[i], &one);
            if (one.name < 0) continue;
            if (stalled_ > PATIENCE) return one;
            if (one.gain > best.gain) best = one;
            found_.push_back(one);
        }
        if (static_cast<int64_t>(found_.size()) > SHORT_LIST) {
            std::nth_element(found_.begin(), found_.begin() + SHORT_LIST, found_.end(),
                             [](const Release &a, const Release &b) {
                                 return a.gain != b.gain ? a.gain > b.gain : a.name < b.name;
                             });
            found_.resize(SHORT_LIST);
        }
        listed_.clear();
        for (const Release &one : found_) listed_.push_back(one.name);
        return best;
    }

    // Everybody's gradient, and the free names' own from it.
    void refresh() {
        gradient_.all(w_, slopes_.data());
        for (size_t a = 0; a < free_.size(); ++a) free_gradient_[a] = slopes_[free_[a]];
        limits_.measure(w_);
        limits_.price_idle();
    }

    // The better direction of a resting name, if it gains more than `best`.
    void consider(int64_t name, double slope, Release *best) const {
        const int64_t j = rest_[name];
        if (j + 1 < kinks_.count(name)) {
            const double up = slope + segment_slope(name, j);
            offer(name, j, -up, best);
        }
        if (j > 0) {
            const double down = slope + segment_slope(name, j - 1);
            offer(name, j - 1, down, best);
        }
    }

    void offer(int64_t name, int64_t segment, double gain, Release *best) const {
        if (gain > tolerance_ && gain > best->gain) *best = {name, segment, gain};
    }

    double segment_slope(int64_t name, int64_t j) const {
        return kinks_.hinge_slope(name, j) + limits_.move_price() * kinks_.move_sign(name, j) +
               limits_.size_price(name) * kinks_.size_sign(name, j);
    }

    // Whether an active limit is further from its bound than its sum can tell.
    bool off_bounds() const {
        for (int64_t l : active_)
            if (std::fabs(limits_.gap(l)) > LAST_BITS) return true;
        return false;
    }

    const Program &p_;
    const ActiveSetOptions &options_;
    double *w_;
    Kinks kinks_;
    double size_, risk_, tolerance_;
    Gradient gradient_;
    Limits limits_;
    std::unique_ptr<FreeSystem> system_;
    std::vector<int64_t> rest_;      // the kink of a resting name
    std::vector<int64_t> position_;  // in the list of free names, or −1
    std::vector<int64_t> free_, segment_;
    std::vector<double> free_gradient_;
    std::vector<int64_t> active_;
    std::vector<int64_t> listed_;  // names to price first
    std::vector<Release> found_;
    std::vector<double> slopes_, right_, p_step_, gaps_, prices_;
    int64_t most_free_;
    int64_t stalled_ = 0;
    int64_t centers_ = 0;
    bool raised_ = false;
    int64_t dependent_ = -1;  // a limit that turned out to depend on the active ones
    ActiveSetResult result_;
};

}  // namespace

ActiveSetResult solve_active_set(const Program &program, const ActiveSetOptions &options, double *weights,
                                 double *prices) {
    for (int64_t i = 0; i < program.n; ++i)
        weights[i] = std::min(std::max(weights[i], program.low[i]), program.high[i]);
    return ActiveSet(program, options, weights).run(prices);
}

}  // namespace deadband
