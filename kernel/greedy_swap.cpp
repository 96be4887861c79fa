#include <algorithm>
#include <cmath>
#include <cstddef>

#include "greedy_trade.hpp"

namespace deadband::greedy {

namespace {

// Weight moves from one donor to one buyer, and the donors that have given so far.
class Rotation {
public:
    Rotation(Draft &draft, const Side &side, const Config &config)
        : draft_(draft), problem_(draft.problem), side_(side), config_(config) {}

    void run();

private:
    double gap(const Ranked &donor, const Buyer &buyer) const { return buyer.key - donor.key; }
    bool is_draining(int64_t donor) const;
    int64_t places_kept(int64_t donor) const;
    double permitted_shrink(int64_t name) const;
    Room room_to_swap(int64_t donor, const Buyer &buyer) const;
    void swap(int64_t donor, const Buyer &buyer, double gap);
    double remainder(int64_t donor, double gain) const;
    void refuse_pair(int64_t donor, int64_t buyer, int16_t code, int16_t limit, Facts facts);
    void refuse_lonely(int64_t buyer);

    Draft &draft_;
    const Problem &problem_;
    const Side &side_;
    const Config &config_;
    std::vector<int64_t> draining_;
};

void Rotation::run() {
    const Buyer *last_short = nullptr;
    size_t last_place = 0;
    for (const Buyer &buyer : side_.buyers) {
        if (need(draft_, side_, buyer) <= NOTHING) continue;
        bool asked = false;
        for (size_t place = 0; place < side_.donors.size(); ++place) {
            const Ranked &donor = side_.donors[place];
            if (need(draft_, side_, buyer) <= NOTHING) break;
            if (draft_.weights[donor.name] == 0.0) continue;
            asked = true;
            if (gap(donor, buyer) <= config_.delta_z_min - EQUALITY) {
                // Donors come worst first: every later one has a smaller gap still.
                refuse_pair(donor.name, buyer.name, code::HOLD_NO_GAP, limit::NONE,
                            {-1, gap(donor, buyer), 0.0, 0.0});
                last_short = &buyer;
                last_place = place;
                break;
            }
            swap(donor.name, buyer, gap(donor, buyer));
        }
        if (!asked) refuse_lonely(buyer.name);
    }
    if (!last_short) return;
    // Buyers come best first: nobody after this one came further down the donors.
    for (size_t place = last_place; place < side_.donors.size(); ++place) {
        const Ranked &donor = side_.donors[place];
        draft_.refuse(donor.name, code::HOLD_NO_GAP, limit::NONE,
                      {last_short->name, gap(donor, *last_short), 0.0, 0.0});
    }
}

bool Rotation::is_draining(int64_t donor) const {
    return std::find(draining_.begin(), draining_.end(), donor) != draining_.end();
}

// Open names of this side without the draining ones and `donor`: each of these shares its place.
int64_t Rotation::places_kept(int64_t donor) const {
    int64_t kept = draft_.open(side_.sign);
    for (int64_t name : draining_) kept -= draft_.is_open(name, side_.sign);
    return is_draining(donor) ? kept : kept - int64_t{draft_.is_open(donor, side_.sign)};
}

// How much of a donor may go; never through zero.
double Rotation::permitted_shrink(int64_t name) const {
    const double w = draft_.weights[name];
    if (side_.sign > 0.0)
        return w - larger(larger(0.0, problem_.low[name]), problem_.hard_low[name]);
    return smaller(smaller(0.0, problem_.high[name]), problem_.hard_high[name]) - w;
}

Room Rotation::room_to_swap(int64_t donor, const Buyer &buyer) const {
    return tightest({
        {need(draft_, side_, buyer), limit::PER_NAME_CAP},
        {permitted_shrink(donor), limit::PERMIT},
        {permitted_growth(draft_, side_, buyer.name), limit::PERMIT},
        {draft_.turnover_left / 2.0, limit::TURNOVER},
        {draft_.name_turnover_left(donor), limit::TURNOVER_NAME},
        {draft_.name_turnover_left(buyer.name), limit::TURNOVER_NAME},
        draft_.room({donor, -side_.sign}, {buyer.name, side_.sign}),
    });
}

void Rotation::swap(int64_t donor, const Buyer &buyer, double gap) {
    const int64_t name = buyer.name;
    if (draft_.weights[name] == 0.0 && places_kept(donor) >= side_.places) {
        refuse_pair(donor, name, code::HOLD_LIMIT, limit::SLOTS, {-1, gap, 0.0, 0.0});
        return;
    }
    const auto [step, limit] = room_to_swap(donor, buyer);
    if (step <= NOTHING) {
        refuse_pair(donor, name, code::HOLD_LIMIT, limit, {-1, gap, 0.0, 0.0});
        return;
    }
    const double edge_gap = side_.sign * (problem_.edge[name] - problem_.edge[donor]);
    const double cost = (problem_.cost[name] + problem_.cost[donor]) * step;
    const double gain = edge_gap * step - cost;
    if (!(gain > config_.tau_utility)) {
        refuse_pair(donor, name, code::HOLD_NO_EDGE, limit::NONE, {-1, gap, gain, cost});
        return;
    }
    const int16_t out = problem_.in_profit[donor] ? code::DROP_GREEN : code::ROTATE_OUT;
    draft_.move(donor, -side_.sign * step, out, {name, gap, gain, cost});
    draft_.move(name, side_.sign * step, code::BUY_BETTER, {donor, gap, gain, cost});
    const double rest = remainder(donor, gain);
    if (rest > 0.0) draft_.move(donor, -side_.sign * rest, out, {name, gap, gain, cost});
    if (!is_draining(donor)) draining_.push_back(donor);
}

// What goes along with a donor left with less than its band, if the trade still pays.
double Rotation::remainder(int64_t donor, double gain) const {
    const double rest = std::fabs(draft_.weights[donor]);
    if (rest >= config_.name_drift_threshold) return 0.0;
    const double loss = (side_.sign * problem_.edge[donor] + problem_.cost[donor]) * rest;
    double allowed = smaller(permitted_shrink(donor), draft_.turnover_left);
    allowed = smaller(allowed, draft_.name_turnover_left(donor));
    allowed = smaller(allowed, draft_.room({donor, -side_.sign}).step);
    return rest <= allowed + NOTHING && gain - loss > config_.tau_utility ? rest : 0.0;
}

void Rotation::refuse_pair(int64_t donor, int64_t buyer, int16_t code, int16_t limit, Facts facts) {
    facts.counterpart = buyer;
    draft_.refuse(donor, code, limit, facts);
    facts.counterpart = donor;
    draft_.refuse(buyer, code, limit, facts);
}

// A buyer that only lacked budget or a place, and finds nobody to take them from.
void Rotation::refuse_lonely(int64_t buyer) {
    const int16_t limit = draft_.out.limit[buyer];
    if (limit == limit::SLOTS || limit == limit::BUDGET) draft_.refuse(buyer, code::HOLD_NO_DONOR);
}

}  // namespace

void rotate(Draft &draft, const Side &side, const Config &config) {
    Rotation(draft, side, config).run();
}

}  // namespace deadband::greedy
