// Reads a Python Program into views. Shapes and types are checked here, once, with names.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <string>

#include "program.hpp"

namespace deadband {

namespace py = pybind11;

// The data of `owner.name`, which must be a C-contiguous array of T with `size` elements.
template <typename T>
const T *view(const py::object &owner, const char *name, int64_t size) {
    py::object held = owner.attr(name);
    if (!py::isinstance<py::array_t<T, py::array::c_style>>(held))
        throw py::type_error(std::string(name) + " is not a C-contiguous array of the expected type.");
    auto array = py::reinterpret_borrow<py::array>(held);
    if (array.size() != size)
        throw py::value_error(std::string(name) + " has " + std::to_string(array.size()) +
                              " elements, expected " + std::to_string(size) + ".");
    return static_cast<const T *>(array.data());
}

inline int64_t length(const py::object &owner, const char *name) {
    return py::reinterpret_borrow<py::array>(owner.attr(name)).shape(0);
}

inline Program read_program(const py::object &given) {
    Program p;
    p.n = length(given, "linear");
    p.signed_rows = length(given, "floor");
    p.groups = length(given, "sector");
    p.layers = length(given, "hinge_at");
    p.linear = view<double>(given, "linear", p.n);
    p.scale = view<double>(given, "scale", p.n);
    p.low = view<double>(given, "low", p.n);
    p.high = view<double>(given, "high", p.n);
    p.home = view<double>(given, "home", p.n);
    p.hinge_at = view<double>(given, "hinge_at", p.layers * p.n);
    p.hinge_weight = view<double>(given, "hinge_weight", p.layers * p.n);
    p.rows = view<double>(given, "rows", p.signed_rows * p.n);
    p.floor = view<double>(given, "floor", p.signed_rows);
    p.ceiling = view<double>(given, "ceiling", p.signed_rows);
    p.group = view<int64_t>(given, "group", p.n);
    p.sector = view<double>(given, "sector", p.groups);
    p.sector_gross = view<double>(given, "sector_gross", p.groups);
    p.counted = view<bool>(given, "counted", p.n);
    p.turnover = py::cast<double>(given.attr("turnover"));
    p.gross = py::cast<double>(given.attr("gross"));
    p.risk_weight = py::cast<double>(given.attr("risk_weight"));
    py::object correlation = given.attr("correlation");
    if (!correlation.is_none() && p.risk_weight > 0.0) {
        if (py::hasattr(correlation, "matrix")) {
            p.matrix = view<double>(correlation, "matrix", p.n * p.n);
        } else {
            p.specific = view<double>(correlation, "specific", p.n);
            p.factors = py::reinterpret_borrow<py::array>(correlation.attr("loadings")).shape(1);
            p.loadings = view<double>(correlation, "loadings", p.n * p.factors);
        }
    }
    return p;
}

}  // namespace deadband
