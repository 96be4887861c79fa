#include <pybind11/gil_safe_call_once.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include "interior.hpp"
#include "read_program.hpp"

namespace deadband {

namespace {

// A BLAS or LAPACK routine as scipy exports it to Cython.
template <typename Routine>
void fetch(const char *module, const char *name, Routine &out) {
    const py::object api = py::module_::import(module).attr("__pyx_capi__");
    const py::object capsule = api[name];
    void *routine = PyCapsule_GetPointer(capsule.ptr(), PyCapsule_GetName(capsule.ptr()));
    if (routine == nullptr) throw py::error_already_set();
    out = reinterpret_cast<Routine>(routine);
}

const Lapack &lapack() {
    // Importing may let other threads run: a plain static could then wait for itself.
    PYBIND11_CONSTINIT static py::gil_safe_call_once_and_store<Lapack> found;
    return found.call_once_and_store_result([] {
        Lapack all{};
        fetch("scipy.linalg.cython_lapack", "dpotrf", all.potrf);
        fetch("scipy.linalg.cython_blas", "dtrsm", all.trsm);
        fetch("scipy.linalg.cython_blas", "dtrsv", all.trsv);
        fetch("scipy.linalg.cython_blas", "dsyrk", all.syrk);
        fetch("scipy.linalg.cython_blas", "dgemv", all.gemv);
        return all;
    }).get_stored();
}

py::tuple interior(const py::object &given, double accuracy) {
    const Program program = read_program(given);
    const Lapack &routines = lapack();
    InteriorAnswer answer;
    {
        py::gil_scoped_release release;
        answer = solve_interior(program, routines, accuracy);
    }
    return py::make_tuple(py::array_t<double>(answer.weights.size(), answer.weights.data()),
                          py::array_t<double>(answer.prices.size(), answer.prices.data()), answer.iterations,
                          answer.converged);
}

}  // namespace

void bind_interior(py::module_ &m) {
    m.def("interior", &interior, py::arg("program"), py::arg("accuracy"),
          "(weights, prices, iterations, converged)");
}

}  // namespace deadband
