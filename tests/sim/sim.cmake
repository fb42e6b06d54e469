# The deterministic simulation (docs/TESTING.md).  The tests run where the gates are: once.
file(GLOB sim CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/*.c)
add_executable(sim ${sim})
target_compile_options(sim PRIVATE -UNDEBUG)
target_link_libraries(sim PRIVATE berth_engine berth_support)

if(BERTH_GATES)
    set(sim_env "PYTHONPATH=${CMAKE_SOURCE_DIR}" "PYTHONDONTWRITEBYTECODE=1")
    berth_test(sim.seeds LABEL sim TIMEOUT 900 ENV ${sim_env}
        COMMAND python3 -m tests.sim.run --program $<TARGET_FILE:sim> --seeds 50 --turns 4000 --jobs 1)
    berth_test(sim.same LABEL sim TIMEOUT 300 ENV ${sim_env}
        COMMAND python3 -m tests.sim.same $<TARGET_FILE:sim>)
endif()
