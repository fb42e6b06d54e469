# The deterministic simulation (docs/TESTING.md).  The tests run where the gates are: once.
file(GLOB sim CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/sim_*.c)
set(sim_main ${CMAKE_CURRENT_LIST_DIR}/sim_main.c)
list(REMOVE_ITEM sim ${sim_main})
add_library(sim_objects OBJECT ${sim})
target_compile_options(sim_objects PRIVATE -UNDEBUG)
target_link_libraries(sim_objects PUBLIC berth_engine berth_support)
add_library(sim_main OBJECT ${sim_main})
target_compile_options(sim_main PRIVATE -UNDEBUG)
target_link_libraries(sim_main PUBLIC berth_engine berth_support)
add_executable(sim $<TARGET_OBJECTS:sim_objects> $<TARGET_OBJECTS:sim_main>)
target_link_libraries(sim PRIVATE berth_engine berth_support)

# Planted bugs: the simulation again, each with one file changed; its objects come before the libraries'.
set(mutants ${CMAKE_CURRENT_LIST_DIR}/mutants.py)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${mutants})
execute_process(COMMAND python3 ${mutants} list OUTPUT_VARIABLE listed COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^\n]+" listed "${listed}")
add_custom_target(sim_mutants)
foreach(line ${listed})
    string(REGEX REPLACE " .*" "" name "${line}")
    string(REGEX REPLACE ".* " "" file "${line}")
    set(changed ${CMAKE_BINARY_DIR}/mutants/${name}.c)
    add_custom_command(OUTPUT ${changed} DEPENDS ${mutants} ${CMAKE_SOURCE_DIR}/${file}
        COMMAND python3 ${mutants} write ${name} ${CMAKE_SOURCE_DIR} ${changed} VERBATIM)
    add_executable(sim_${name} EXCLUDE_FROM_ALL $<TARGET_OBJECTS:sim_objects> $<TARGET_OBJECTS:sim_main> ${changed})
    target_link_libraries(sim_${name} PRIVATE berth_engine berth_support)
    target_compile_options(sim_${name} PRIVATE -UNDEBUG -w)
    cmake_path(GET file PARENT_PATH folder)
    target_include_directories(sim_${name} PRIVATE ${CMAKE_SOURCE_DIR}/${folder})
    add_dependencies(sim_mutants sim_${name})
endforeach()

# What happens is written down, only how long it takes is drawn.
file(GLOB scripted CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/test_*.c)
foreach(test ${scripted})
    string(REGEX REPLACE ".*/test_(.+)\\.c$" "\\1" what ${test})
    add_executable(sim_test_${what} ${test} ${CMAKE_CURRENT_LIST_DIR}/scenario.c $<TARGET_OBJECTS:sim_objects>)
    target_compile_options(sim_test_${what} PRIVATE -UNDEBUG)
    target_link_libraries(sim_test_${what} PRIVATE berth_engine berth_support)
    if(BERTH_GATES)
        berth_test(sim.${what} COMMAND $<TARGET_FILE:sim_test_${what}> LABEL sim TIMEOUT 300)
    endif()
endforeach()

if(BERTH_GATES)
    set(sim_env "PYTHONPATH=${CMAKE_SOURCE_DIR}" "PYTHONDONTWRITEBYTECODE=1")
    berth_test(sim.seeds LABEL sim TIMEOUT 900 ENV ${sim_env}
        COMMAND python3 -m tests.sim.run --program $<TARGET_FILE:sim> --seeds 50 --turns 4000 --jobs 1)
    berth_test(sim.fleet LABEL sim TIMEOUT 600 ENV ${sim_env}
        COMMAND python3 -m tests.sim.run --program $<TARGET_FILE:sim> --seeds 12 --hours 20 --jobs 1)
    berth_test(sim.same LABEL sim TIMEOUT 300 ENV ${sim_env}
        COMMAND python3 -m tests.sim.same $<TARGET_FILE:sim>)
    berth_test(sim.mutants.build LABEL sim TIMEOUT 900 PROPERTIES FIXTURES_SETUP sim_mutants
        COMMAND ${CMAKE_COMMAND} --build ${CMAKE_BINARY_DIR} --target sim_mutants)
    berth_test(sim.mutants LABEL sim TIMEOUT 900 ENV ${sim_env} PROPERTIES FIXTURES_REQUIRED sim_mutants
        COMMAND python3 ${mutants} run ${CMAKE_BINARY_DIR})
endif()
