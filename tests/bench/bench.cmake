# tests/bench/bench_<what>.c measures something inside one process and prints `figure value` lines. They are
# built from the release flags by the target `bench` alone; tests/bench/__main__.py runs them (./dev bench).
file(GLOB benches CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/bench/bench_*.c)
set(bench_targets)
foreach(bench ${benches})
    cmake_path(GET bench STEM target)
    add_executable(${target} EXCLUDE_FROM_ALL ${bench})
    target_link_libraries(${target} PRIVATE berth_daemon)
    list(APPEND bench_targets ${target})
endforeach()
add_custom_target(bench DEPENDS ${bench_targets})
