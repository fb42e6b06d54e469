# The gates, as tests with the label "gate"; each has a planted violation (gate.planted.*) that it must refuse.
set(arch ${CMAKE_CURRENT_LIST_DIR})
set(planted ${arch}/planted)
# Another version may format and find otherwise; 14 is what the tree is held to.
find_program(CLANG_FORMAT NAMES clang-format-14 clang-format REQUIRED)
find_program(CLANG_TIDY NAMES clang-tidy-14 clang-tidy REQUIRED)
find_program(SHELLCHECK shellcheck REQUIRED)
find_program(SYSTEMD_ANALYZE systemd-analyze)

# berth_gate(NAME COMMAND... PLANTED command... SAYS regex)
function(berth_gate name)
    cmake_parse_arguments(G "" "SAYS;TIMEOUT" "COMMAND;PLANTED;PROPERTIES" ${ARGN})
    if(NOT G_TIMEOUT)
        set(G_TIMEOUT 120)
    endif()
    list(JOIN G_PLANTED "|" command)
    berth_test(gate.${name} COMMAND ${G_COMMAND} LABEL gate TIMEOUT ${G_TIMEOUT} PROPERTIES ${G_PROPERTIES})
    berth_test(gate.planted.${name} LABEL gate TIMEOUT 120
        COMMAND ${CMAKE_COMMAND} "-DCOMMAND=${command}" "-DSAYS=${G_SAYS}" -P ${arch}/must_fail.cmake)
endfunction()

berth_gate(format
    COMMAND python3 ${arch}/check_format.py ${CMAKE_SOURCE_DIR} ${CLANG_FORMAT}
    PLANTED python3 ${arch}/check_format.py ${planted}/format ${CLANG_FORMAT}
    SAYS "clang-format-violations")
berth_gate(layers
    COMMAND python3 ${arch}/check_layers.py ${CMAKE_SOURCE_DIR}
    PLANTED python3 ${arch}/check_layers.py ${planted}/layers
    SAYS "docker must not include store.*domain is pure, <time.h> is not.*sqlite3.h belongs to store")
berth_gate(limits
    COMMAND python3 ${arch}/check_limits.py ${CMAKE_SOURCE_DIR}
    PLANTED python3 ${arch}/check_limits.py ${planted}/limits
    SAYS "long_file.c: 5[0-9][0-9] lines.*long_function.c:[0-9]+: a function of 61 lines.*nested.c:6: nested")
berth_gate(names
    COMMAND python3 ${arch}/check_names.py ${CMAKE_SOURCE_DIR}
    PLANTED python3 ${arch}/check_names.py ${planted}/names
    SAYS "other_function should be static.*other_number should be static")
berth_gate(words
    COMMAND python3 ${arch}/check_words.py ${CMAKE_SOURCE_DIR}
    PLANTED python3 ${arch}/check_words.py ${planted}/words
    SAYS "banned: strcpy.*banned: signal.*banned: goto.*exit outside main.*an open end.*a path of one machine")

berth_gate(docs
    COMMAND python3 ${arch}/check_docs.py ${CMAKE_SOURCE_DIR}
    PLANTED python3 ${arch}/check_docs.py ${planted}/docs
    SAYS "speaks of 'zeppelin'.*MISSING.md leads nowhere.*#nowhere leads nowhere.*no src/engine/none.c.*no engine/none")

file(GLOB_RECURSE shell_scripts CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/*.sh ${CMAKE_SOURCE_DIR}/config/*.sh
    ${CMAKE_SOURCE_DIR}/playbooks/*.sh)
list(FILTER shell_scripts EXCLUDE REGEX "/planted/|/node_modules/")
berth_gate(shell
    COMMAND ${SHELLCHECK} --shell=bash --external-sources --source-path=${CMAKE_SOURCE_DIR}
        ${CMAKE_SOURCE_DIR}/dev ${CMAKE_SOURCE_DIR}/.ci/run ${shell_scripts}
    PLANTED ${SHELLCHECK} --shell=bash ${planted}/shell/unquoted.sh
    SAYS "SC2086")

# Each public header compiles alone.
berth_gate(headers
    COMMAND ${CMAKE_COMMAND} --build ${CMAKE_BINARY_DIR} --target all_verify_interface_header_sets
    PLANTED ${CMAKE_CTEST_COMMAND} --build-and-test ${planted}/headers ${CMAKE_BINARY_DIR}/planted-headers
        --build-generator ${CMAKE_GENERATOR} --build-target all_verify_interface_header_sets
    SAYS "unknown type name"
    TIMEOUT 300 PROPERTIES RESOURCE_LOCK ninja)

# clang-tidy, file by file: a stamp holds until the file or a header it includes changes, so that a second
# look is quick.  `-k 0` shows the findings of all files at once.
file(GLOB_RECURSE tidied CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/*.c ${CMAKE_SOURCE_DIR}/tests/*.c)
list(FILTER tidied EXCLUDE REGEX "/planted/|/tests/fuzz/|/node_modules/")
set(stamps)
foreach(source ${tidied})
    cmake_path(RELATIVE_PATH source BASE_DIRECTORY ${CMAKE_SOURCE_DIR} OUTPUT_VARIABLE name)
    set(stamp ${CMAKE_BINARY_DIR}/tidy/${name}.ok)
    set(rules ${CMAKE_SOURCE_DIR}/.clang-tidy)
    if(name MATCHES "^tests/")
        list(APPEND rules ${CMAKE_SOURCE_DIR}/tests/.clang-tidy)
    endif()
    cmake_path(GET stamp PARENT_PATH folder)
    file(MAKE_DIRECTORY ${folder})
    add_custom_command(OUTPUT ${stamp} DEPENDS ${source} ${rules}
        DEPFILE ${stamp}.d
        COMMAND ${CLANG_TIDY} --quiet -p ${CMAKE_BINARY_DIR} --extra-arg=-Wno-unknown-warning-option ${source}
        COMMAND ${CMAKE_C_COMPILER} -MM -MG -MT ${stamp} -MF ${stamp}.d -D_GNU_SOURCE
            -I${CMAKE_SOURCE_DIR}/include -I${CMAKE_SOURCE_DIR}/tests ${source}
        COMMAND ${CMAKE_COMMAND} -E touch ${stamp}
        COMMENT "clang-tidy ${name}" VERBATIM)
    list(APPEND stamps ${stamp})
endforeach()
add_custom_target(tidy DEPENDS ${stamps})
# It takes the longest: begun first, on the time that tests leave which wait for engines.
berth_gate(tidy
    COMMAND nice -n 19 ${CMAKE_COMMAND} --build ${CMAKE_BINARY_DIR} --target tidy -- -k 0 -j 2
    PLANTED ${CLANG_TIDY} --quiet --config-file=${CMAKE_SOURCE_DIR}/.clang-tidy ${planted}/tidy/long.c -- -std=c17
    SAYS "readability-function-size"
    TIMEOUT 1200 PROPERTIES RESOURCE_LOCK ninja COST 100000)

# The unit's exposure, in tenths: 2.0 at the most.
if(SYSTEMD_ANALYZE)
    berth_gate(unit
        COMMAND ${SYSTEMD_ANALYZE} security --offline=yes --threshold=20 ${CMAKE_SOURCE_DIR}/config/berthd.service
        PLANTED ${SYSTEMD_ANALYZE} security --offline=yes --threshold=20 ${planted}/unit/open.service
        SAYS "exposure level for open.service: [3-9]")
endif()

# What Ansible makes of the stock playbooks.
find_program(ANSIBLE_PLAYBOOK ansible-playbook)
if(ANSIBLE_PLAYBOOK)
    berth_gate(playbooks
        COMMAND ${ANSIBLE_PLAYBOOK} --syntax-check --inventory localhost, ${CMAKE_SOURCE_DIR}/playbooks/docker-host.yml
        PLANTED ${ANSIBLE_PLAYBOOK} --syntax-check --inventory localhost, ${planted}/playbooks/unknown-module.yml
        SAYS "this task 'comand'")
endif()
