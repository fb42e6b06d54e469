# The programs of ./dev bench, built by the target `bench` only.

add_custom_target(bench)

# berth_bench(NAME SOURCES... LINKS libraries... SEES layers whose own headers it includes)
function(berth_bench name)
    cmake_parse_arguments(B "" "" "LINKS;SEES" ${ARGN})
    set(sources ${B_UNPARSED_ARGUMENTS})
    list(TRANSFORM sources PREPEND ${CMAKE_SOURCE_DIR}/tests/bench/)
    add_executable(${name} EXCLUDE_FROM_ALL ${sources})
    target_link_libraries(${name} PRIVATE ${B_LINKS})
    foreach(layer ${B_SEES})
        target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/src/${layer})
    endforeach()
    add_dependencies(bench ${name})
endfunction()

berth_bench(bench_placement bench_placement.c LINKS berth_domain)
berth_bench(bench_store bench_store.c LINKS berth_store)
berth_bench(bench_load bench_load.c LINKS berth_base)
berth_bench(bench_daemon bench_daemon.c sim.c LINKS berth_daemon SEES daemon)
berth_bench(bench_fill bench_fill.c sim.c LINKS berth_store)
berth_bench(bench_peer bench_peer.c bench_rows.c LINKS berth_store PkgConfig::MHD SEES store)
berth_bench(bench_bare bench_bare.c bench_rows.c LINKS berth_store SEES store)
berth_bench(bench_empty bench_empty.c LINKS berth_daemon)

add_library(slow_fsync MODULE EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/tests/bench/slow_fsync.c)
set_target_properties(slow_fsync PROPERTIES PREFIX "")
add_dependencies(bench slow_fsync)
