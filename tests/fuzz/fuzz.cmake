# Each tests/fuzz/fuzz_<what>.c (LLVMFuzzerTestOneInput) is a libFuzzer program over the whole daemon and
# CLI. As a test it reads tests/fuzz/corpus/<what>/ and then tries a bounded number of inputs from a fixed
# seed; what it finds on the way is kept in the build folder, never in the tree.
set(BERTH_FUZZ_RUNS 20000 CACHE STRING "Inputs a fuzzer tries when it runs as a test")

file(GLOB fuzzers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_*.c)
foreach(fuzzer ${fuzzers})
    cmake_path(GET fuzzer STEM target)
    string(REGEX REPLACE "^fuzz_" "" what ${target})
    set(corpus ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${what})
    set(found ${CMAKE_BINARY_DIR}/corpus/${what})
    file(MAKE_DIRECTORY ${found})
    if(NOT EXISTS ${corpus})
        set(corpus)
    endif()
    add_executable(${target} ${fuzzer})
    target_link_libraries(${target} PRIVATE berth_daemon berth_cli)
    target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    add_test(NAME fuzz.${what} WORKING_DIRECTORY ${CMAKE_BINARY_DIR}
        COMMAND ${target} -runs=${BERTH_FUZZ_RUNS} -seed=1 -timeout=10 -rss_limit_mb=2048 -max_len=16384
            -artifact_prefix=${found}- -print_final_stats=1 ${found} ${corpus})
    set_tests_properties(fuzz.${what} PROPERTIES LABELS fuzz TIMEOUT 300)
endforeach()
