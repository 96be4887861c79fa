// Buys from free budget and swaps of weight from donors to buyers, as greedy.py does them.
#pragma once

#include <initializer_list>

#include "greedy_draft.hpp"
#include "greedy_side.hpp"

namespace deadband::greedy {

// The best names below target take free budget, both sides in turn.
void buy(Draft &draft, const std::vector<Side> &books, const Config &config);

// The best names left take weight from the worst donors.
void rotate(Draft &draft, const Side &side, const Config &config);

// How far a buyer is below its target, and how far its permit lets it grow.
double need(const Draft &draft, const Side &side, const Buyer &buyer);
double permitted_growth(const Draft &draft, const Side &side, int64_t name);

// The least room; of several that leave nothing the first, not the one with fewer last bits.
inline Room tightest(std::initializer_list<Room> rooms) {
    const auto left = [](const Room &room) { return room.step > NOTHING ? room.step : 0.0; };
    const Room *least = rooms.begin();
    for (const Room &room : rooms)
        if (left(room) < left(*least)) least = &room;
    return *least;
}

}  // namespace deadband::greedy
