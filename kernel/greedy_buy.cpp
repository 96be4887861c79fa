#include <algorithm>
#include <cstddef>
#include <utility>

#include "greedy_trade.hpp"

namespace deadband::greedy {

namespace {

// How far a buy came: as far as it will ever, up to a limit of the whole book, or nowhere.
enum class Bought { ALL, PART, NONE };

// Limits that a trade on the other side may open again.
bool is_book_wide(int16_t limit) {
    return limit == limit::NET || limit == limit::BETA || limit == limit::SECTOR ||
           limit == limit::SECTOR_GROSS;
}

Bought buy_one(Draft &draft, const Side &side, const Buyer &buyer, const Config &config) {
    const Problem &p = draft.problem;
    const int64_t name = buyer.name;
    const double missing = need(draft, side, buyer);
    if (missing <= NOTHING) return Bought::ALL;
    if (draft.weights[name] == 0.0 && draft.open(side.sign) >= side.places) {
        draft.refuse(name, code::HOLD_LIMIT, limit::SLOTS);
        return Bought::ALL;
    }
    const Room least = tightest({
        {missing, limit::PER_NAME_CAP},
        {side.budget - draft.invested(side.sign), limit::BUDGET},
        {draft.turnover_left, limit::TURNOVER},
        {draft.name_turnover_left(name), limit::TURNOVER_NAME},
        {permitted_growth(draft, side, name), limit::PERMIT},
        draft.room({name, side.sign}),
    });
    const bool book_wide = is_book_wide(least.limit);
    if (least.step <= NOTHING) {
        draft.refuse(name, code::HOLD_LIMIT, least.limit);
        return book_wide ? Bought::NONE : Bought::ALL;
    }
    const double edge = p.edge[name] * side.sign, cost = p.cost[name] * least.step;
    const double gain = edge * least.step - cost;
    if (!(gain > config.tau_utility)) {
        draft.refuse(name, code::HOLD_NO_EDGE, limit::NONE, {-1, 0.0, gain, cost});
        return Bought::ALL;
    }
    draft.move(name, side.sign * least.step, code::BUY_TOP_K, {-1, 0.0, gain, cost});
    return book_wide ? Bought::PART : Bought::ALL;
}

struct Queue {
    const Side *side;
    size_t next;
    const Buyer &head() const { return side->buyers[next]; }
    bool empty() const { return next == side->buyers.size(); }
};

}  // namespace

void buy(Draft &draft, const std::vector<Side> &books, const Config &config) {
    std::vector<Queue> queues;
    for (const Side &side : books) queues.push_back({&side, 0});
    const auto goes_first = [&draft](const Queue *a, const Queue *b) {
        if (a->head().key != b->head().key) return a->head().key > b->head().key;
        return draft.problem.symbols->before(a->head().name, b->head().name);
    };
    std::vector<Queue *> live;
    while (true) {
        live.clear();
        for (Queue &queue : queues)
            if (!queue.empty()) live.push_back(&queue);
        if (live.empty()) return;
        // The better head goes first. One that the whole book blocks lets the other side go, whose
        // trade may open room for it; when neither can move, both step aside.
        if (live.size() == 2 && goes_first(live[1], live[0])) std::swap(live[0], live[1]);
        bool traded = false;
        for (Queue *queue : live) {
            const Bought bought = buy_one(draft, *queue->side, queue->head(), config);
            if (bought == Bought::NONE) continue;
            if (bought == Bought::ALL) ++queue->next;
            traded = true;
            break;
        }
        if (!traded)
            for (Queue *queue : live) ++queue->next;
    }
}

double need(const Draft &draft, const Side &side, const Buyer &buyer) {
    const Problem &p = draft.problem;
    const double cap = side.sign > 0.0 ? p.high_cap[buyer.name] : -p.low_cap[buyer.name];
    const double size = side.sign * draft.weights[buyer.name];
    // With z_keep below 0 a name can stand in both queues; the first to buy it has it.
    return size >= 0.0 ? smaller(buyer.target, cap) - size : 0.0;
}

double permitted_growth(const Draft &draft, const Side &side, int64_t name) {
    const Problem &p = draft.problem;
    const double w = draft.weights[name];
    if (side.sign > 0.0) return smaller(p.high[name], p.hard_high[name]) - w;
    return w - larger(p.low[name], p.hard_low[name]);
}

}  // namespace deadband::greedy
