# Every test there is, found by where it lies:
#
#   tests/unit/<layer>/test_<what>.c   unit.<layer>.<what>   cmocka; links its layer, tests/support and what
#                                                            else lies in its folder
#   tests/api/test_<what>.py|sh        api.<what>            a berthd on this machine; Python as a module
#   tests/cloud/test_<what>.py         cloud.<what>          the cloud of the tests before another's EC2 client
#   tests/cli/test_<what>.py           cli.<what>            berth before a fake daemon
#   tests/real/test_<what>.py|sh       real.<what>           the same with real Docker engines (root)
#   tests/package/test_<what>.sh       package.<what>        the Debian package of the release build (root)
#   tests/fuzz/fuzz_<what>.c           fuzz.<what>           libFuzzer, with BERTH_FUZZ
#   tests/arch/                        gate.*                the gates, with BERTH_GATES
#
# A script finds the programs through BERTHD and BERTH, the sources through BERTH_SOURCE and a folder
# of its own through BERTH_TMP; exit status 77 means "can't run here", and says so.

set(BERTH_TEST_ENV
    "ASAN_OPTIONS=detect_leaks=1:abort_on_error=0:detect_stack_use_after_return=1"
    "UBSAN_OPTIONS=print_stacktrace=1"
    "TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1")

# ThreadSanitizer of older compilers can't live with a highly randomised address space.
if(BERTH_SANITIZE STREQUAL "thread")
    execute_process(COMMAND setarch -R true RESULT_VARIABLE status OUTPUT_QUIET ERROR_QUIET)
    if(status STREQUAL "0")
        set(BERTH_TEST_LAUNCHER setarch -R)
    endif()
endif()

# berth_test(NAME COMMAND...): a test with this build's prefix. LABEL also goes into `ctest -L`.
function(berth_test name)
    cmake_parse_arguments(T "" "LABEL;TIMEOUT" "COMMAND;ENV;PROPERTIES" ${ARGN})
    set(full ${BERTH_TEST_PREFIX}${name})
    add_test(NAME ${full} COMMAND ${T_COMMAND} WORKING_DIRECTORY ${CMAKE_BINARY_DIR})
    set_tests_properties(${full} PROPERTIES LABELS ${T_LABEL} TIMEOUT ${T_TIMEOUT}
        ENVIRONMENT "${BERTH_TEST_ENV};${T_ENV}" ${T_PROPERTIES})
endfunction()

pkg_check_modules(TLS REQUIRED IMPORTED_TARGET libssl) # fake servers speak it
file(GLOB support CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/support/*.c)
if(support)
    add_library(berth_support STATIC ${support})
    target_link_libraries(berth_support PUBLIC berth_port PkgConfig::CMOCKA PkgConfig::TLS)
    target_include_directories(berth_support PUBLIC ${CMAKE_SOURCE_DIR}/tests)
    # What tests are built on asserts in each kind of build.
    target_compile_options(berth_support PUBLIC -UNDEBUG)
endif()

# In the build with the gates only: what walks through all that can go wrong and takes long; what the compiler makes of the
# same code, others of their layers show.
set(once engine.bury_faults engine.upkeep)

file(GLOB units CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/*/test_*.c)
foreach(unit ${units})
    string(REGEX REPLACE ".*/tests/unit/([^/]+)/test_(.+)\\.c$" "\\1;\\2" parts ${unit})
    list(GET parts 0 layer)
    list(GET parts 1 what)
    if((BERTH_TEST_LAYERS AND NOT layer IN_LIST BERTH_TEST_LAYERS) OR (NOT BERTH_GATES AND "${layer}.${what}" IN_LIST once))
        continue()
    endif()
    set(target ${layer}_test_${what})
    file(GLOB beside CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/${layer}/*.c)
    list(FILTER beside EXCLUDE REGEX "/test_[^/]*$")
    add_executable(${target} ${unit} ${beside})
    target_compile_definitions(${target} PRIVATE BERTH_TEST_SOURCE="${CMAKE_SOURCE_DIR}")
    target_link_libraries(${target} PRIVATE berth_${layer} PkgConfig::CMOCKA)
    if(support)
        target_link_libraries(${target} PRIVATE berth_support)
    endif()
    berth_test(unit.${layer}.${what} COMMAND ${BERTH_TEST_LAUNCHER} $<TARGET_FILE:${target}> LABEL unit TIMEOUT 120)
endforeach()

# A playbook's runner on this machine, for tests/real/test_playbook.py.
add_executable(play tests/real/play.c tests/unit/shell/local_remote.c)
target_link_libraries(play PRIVATE berth_shell)
target_include_directories(play PRIVATE ${CMAKE_SOURCE_DIR}/src/shell)
target_compile_options(play PRIVATE -UNDEBUG)

if(NOT BERTH_TEST_LAYERS)
    include(tests/sim/sim.cmake)
endif()

# Scripts drive the programs; one build of them is enough, so they go where the gates go.
if(BERTH_GATES)
    set(programs "BERTH_SOURCE=${CMAKE_SOURCE_DIR}" "PYTHONDONTWRITEBYTECODE=1")
    foreach(program berthd berth play)
        if(TARGET ${program})
            string(TOUPPER ${program} variable)
            list(APPEND programs "${variable}=$<TARGET_FILE:${program}>")
        endif()
    endforeach()
    file(GLOB scripts CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/cli/test_*.py ${CMAKE_SOURCE_DIR}/tests/cloud/test_*.py
        ${CMAKE_SOURCE_DIR}/tests/api/test_*.py ${CMAKE_SOURCE_DIR}/tests/api/test_*.sh ${CMAKE_SOURCE_DIR}/tests/real/test_*.py
        ${CMAKE_SOURCE_DIR}/tests/real/test_*.sh ${CMAKE_SOURCE_DIR}/tests/package/test_*.sh)
    foreach(script ${scripts})
        string(REGEX REPLACE ".*/tests/([^/]+)/test_(.+)\\.(py|sh)$" "\\1;\\2;\\3" parts ${script})
        list(GET parts 0 kind)
        list(GET parts 1 what)
        set(runner bash ${script})
        if(script MATCHES "\\.py$")
            set(runner python3 -m tests.${kind}.test_${what})
        endif()
        berth_test(${kind}.${what} COMMAND ${runner} LABEL ${kind} TIMEOUT 900
            ENV ${programs} "PYTHONPATH=${CMAKE_SOURCE_DIR}:${CMAKE_SOURCE_DIR}/tests/${kind}" "BERTH_TMP=${CMAKE_BINARY_DIR}/tmp/${kind}.${what}"
            PROPERTIES SKIP_RETURN_CODE 77)
        # One at a time of those that start engines, and of those that start machines; each begun early, since they wait much.
        if("${kind}.${what}" MATCHES "^cloud\\.(real|provider)$")
            set_tests_properties(${BERTH_TEST_PREFIX}${kind}.${what} PROPERTIES COST 500)
        elseif("${kind}.${what}" MATCHES "^real\\.(elastic|stock)")
            set_tests_properties(${BERTH_TEST_PREFIX}real.${what} PROPERTIES RESOURCE_LOCK machines COST 1000)
        elseif(kind STREQUAL "real")
            set_tests_properties(${BERTH_TEST_PREFIX}real.${what} PROPERTIES RESOURCE_LOCK engines COST 1000)
        endif()
    endforeach()
endif()

if(BERTH_GATES)
    include(tests/arch/gates.cmake)
endif()
if(BERTH_FUZZ)
    include(tests/fuzz/fuzz.cmake)
endif()

# One ctest for all: the folders named in BERTH_TEST_ALSO, as far as they were built.
set(also ${CMAKE_BINARY_DIR}/also.cmake)
file(WRITE ${also} "")
foreach(folder ${BERTH_TEST_ALSO})
    set(path ${CMAKE_SOURCE_DIR}/build/${folder})
    file(APPEND ${also} "if(EXISTS \"${path}/CTestTestfile.cmake\")\n  subdirs(\"${path}\")\nendif()\n")
endforeach()
set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${also})
