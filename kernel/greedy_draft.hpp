// The book as it is being worked out, the counterpart of draft.py.
//
// Sums over names run over `live`: names that have weight, had some, must go, or
// may not be without; a copy is needed where a loop over it moves names.
#pragma once

#include <cstddef>
#include <vector>

#include "exact_sum.hpp"
#include "greedy.hpp"

namespace deadband::greedy {

struct Move {
    int64_t name;
    double change;  // signed, per unit of the step
};

struct Room {
    double step;
    int16_t limit;
};

// The numbers of a deciding test.
struct Facts {
    int64_t counterpart = -1;
    double gap = 0.0, gain = 0.0, cost = 0.0;
};

// One move, or after `speak` has added them up, what one code did to one name.
struct Part {
    int64_t name;
    int16_t code;
    double amount;
    Facts facts;
};

struct Exposure {
    double gross = 0.0, net = 0.0, beta = 0.0;
    std::vector<double> sector, sector_gross;
};

class Draft {
public:
    Draft(const Problem &problem, const Columns &out);

    const Problem &problem;
    const Columns &out;
    double *weights;
    Exposure used;
    double turnover_left;

    // By side, hedge apart.
    int64_t open(double side) const { return open_[side < 0.0]; }
    double invested(double side) const { return invested_[side < 0.0]; }
    bool is_open(int64_t name, double side) const {
        return name != problem.hedge && side * weights[name] > 0.0;
    }

    // Sums the exposures afresh, exactly.
    void measure();
    Exposure exposure();
    const std::vector<int64_t> &live();  // ascending

    // The largest step that keeps every exposure limit, and the limit that ends it.
    Room room(Move one) const { return room(&one, 1); }
    Room room(Move one, Move other) const;
    double name_turnover_left(int64_t name) const;

    void move(int64_t name, double change, int16_t code, const Facts &facts = {});
    void refuse(int64_t name, int16_t code, int16_t limit = limit::NONE, const Facts &facts = {});

    const std::vector<Part> &parts() const { return parts_; }  // in the order of the moves

private:
    Room room(const Move *moves, int count) const;
    double hedge_reach(double slope) const;
    void count(int64_t name, double before, double after);
    void sum_groups(Exposure &sums);

    std::vector<int64_t> live_;
    size_t sorted_ = 0;  // what comes after was touched later
    int64_t open_[2] = {0, 0};
    double invested_[2] = {0.0, 0.0};
    std::vector<Part> parts_;
    std::vector<size_t> ends_;  // of sectors among their members
    std::vector<int64_t> members_;
};

// Lowest and highest weight of the hedge: its permit, then its cap, then its hard box.
void hedge_box(const Problem &problem, double &low, double &high);

}  // namespace deadband::greedy
