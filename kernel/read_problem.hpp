// Reads a Python Problem and OptimizationConfig into views. Arrays of another type or layout are
// converted, and kept for as long as the reader lives.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <string>
#include <unordered_map>
#include <vector>

#include "greedy.hpp"

namespace deadband::greedy {

namespace py = pybind11;

// An attribute by a literal name, which is made a Python string only once.
inline py::object get(const py::object &owner, const char *literal) {
    static auto &interned = *new std::unordered_map<const char *, PyObject *>();
    PyObject *&name = interned[literal];
    if (!name) name = PyUnicode_InternFromString(literal);
    PyObject *found = PyObject_GetAttr(owner.ptr(), name);
    if (!found) throw py::error_already_set();
    return py::reinterpret_steal<py::object>(found);
}

class PythonSymbols : public Symbols {
public:
    explicit PythonSymbols(const py::object &symbols) : symbols_(symbols) {}

    bool before(int64_t a, int64_t b) const override {
        const py::object left = symbols_[py::int_(a)], right = symbols_[py::int_(b)];
        const int before = PyObject_RichCompareBool(left.ptr(), right.ptr(), Py_LT);
        if (before < 0) throw py::error_already_set();
        return before == 1;
    }

    const py::object &all() const { return symbols_; }

private:
    py::object symbols_;
};

class ProblemReader {
public:
    explicit ProblemReader(const py::object &given) : symbols_(get(given, "symbols")) {
        kept_.reserve(24);
        p.n = static_cast<int64_t>(py::len(symbols_.all()));
        p.symbols = &symbols_;
        read_names(given);
        read_limits(get(given, "structure"), get(given, "bounds"), get(given, "limits"));
        p.hedge = py::cast<int64_t>(get(given, "hedge"));
        if (p.hedge >= p.n) throw py::value_error("hedge is not an index of a name.");
        p.turnover_left = py::cast<double>(get(given, "turnover_left"));
    }

    Problem p;

private:
    static constexpr int PLAIN = py::array::c_style | py::detail::npy_api::NPY_ARRAY_ALIGNED_;

    template <typename T>
    const T *view(const py::object &owner, const char *name, int64_t size) {
        py::array array = as_array<T>(get(owner, name), name);
        if (array.size() != size)
            throw py::value_error(std::string(name) + " has " + std::to_string(array.size()) +
                                  " elements, expected " + std::to_string(size) + ".");
        kept_.push_back(array);
        return static_cast<const T *>(array.data());
    }

    template <typename T>
    static py::array as_array(py::object given, const char *name) {
        if (py::isinstance<py::array>(given)) {
            const auto array = py::reinterpret_borrow<py::array>(given);
            // As a rule it is what is wanted; asking numpy to make it so costs more than the rest.
            const bool plain = (array.flags() & PLAIN) == PLAIN;
            if (plain && array.dtype().ptr() == py::dtype::of<T>().ptr()) return array;
        }
        using Array = py::array_t<T, py::array::c_style | py::array::forcecast>;
        py::array array = Array::ensure(given);
        if (!array) throw py::type_error(std::string(name) + " is not an array of numbers.");
        return array;
    }

    const double *view_unless_none(const py::object &owner, const char *name, int64_t size) {
        return get(owner, name).is_none() ? nullptr : view<double>(owner, name, size);
    }

    void read_names(const py::object &given) {
        p.z = view<double>(given, "z", p.n);
        p.scored = view<bool>(given, "scored", p.n);
        p.edge = view<double>(given, "edge", p.n);
        p.cost = view<double>(given, "cost", p.n);
        p.scale = view_unless_none(given, "scale", p.n);
        p.current = view<double>(given, "current", p.n);
        p.low = view<double>(given, "low", p.n);
        p.high = view<double>(given, "high", p.n);
        p.hard_low = view<double>(given, "hard_low", p.n);
        p.hard_high = view<double>(given, "hard_high", p.n);
        p.cut = view<int16_t>(given, "cut", p.n);
        p.in_profit = view<bool>(given, "in_profit", p.n);
    }

    void read_limits(const py::object &structure, const py::object &bounds,
                     const py::object &mandate) {
        p.groups = static_cast<int64_t>(py::len(get(structure, "group_names")));
        p.group = view<int64_t>(structure, "group", p.n);
        p.beta = view_unless_none(structure, "beta", p.n);
        p.low_cap = view<double>(bounds, "low", p.n);
        p.high_cap = view<double>(bounds, "high", p.n);
        p.gross_cap = py::cast<double>(get(bounds, "gross"));
        p.net_cap = py::cast<double>(get(bounds, "net"));
        p.beta_cap = py::cast<double>(get(bounds, "beta"));
        p.name_turnover_cap = py::cast<double>(get(bounds, "turnover_name"));
        p.sector_cap = view<double>(bounds, "sector", p.groups);
        p.sector_gross_cap = view<double>(bounds, "sector_gross", p.groups);
        p.mandate_gross = py::cast<double>(get(mandate, "gross"));
        p.mandate_net = py::cast<double>(get(mandate, "net"));
        p.fully_invested = py::cast<bool>(get(mandate, "fully_invested"));
    }

    PythonSymbols symbols_;
    std::vector<py::object> kept_;
};

inline Weighting read_weighting(const py::object &given, bool with_volatilities) {
    const std::string said = py::cast<std::string>(get(given, "weighting"));
    if (said == "score") return Weighting::SCORE;
    if (said == "equal" || (said.empty() && !with_volatilities)) return Weighting::EQUAL;
    return Weighting::INVERSE_VOL;
}

inline Config read_config(const py::object &given, bool with_volatilities) {
    const auto number = [&given](const char *name) { return py::cast<double>(get(given, name)); };
    const auto whole = [&given](const char *name) { return py::cast<int64_t>(get(given, name)); };
    Config config;
    config.long_side = {whole("K"), whole("K_buy"), whole("K_sell")};
    if (whole("K_short") > 0)
        config.short_side = {whole("K_short"), whole("K_buy_short"), whole("K_sell_short")};
    config.z_keep = number("z_keep");
    config.delta_z_min = number("delta_z_min");
    config.tau_utility = number("tau_utility");
    config.name_drift_threshold = number("name_drift_threshold");
    config.budget_buffer = number("budget_buffer");
    config.per_name_cap = number("per_name_cap");
    config.hedge_cap = number("hedge_cap");
    config.repair_tolerance = number("repair_tolerance_bps") * 1e-4;
    config.weighting = read_weighting(given, with_volatilities);
    return config;
}

}  // namespace deadband::greedy
