# A gate that passes a planted violation guards nothing: run COMMAND (its words joined by |), demand that
# it fails and that it says SAYS (a regular expression).
string(REPLACE "|" ";" COMMAND "${COMMAND}")
execute_process(COMMAND ${COMMAND} RESULT_VARIABLE status OUTPUT_VARIABLE text ERROR_VARIABLE text)
if(status STREQUAL "0")
    message(FATAL_ERROR "passed what it must refuse:\n${text}")
endif()
if(NOT text MATCHES "${SAYS}")
    message(FATAL_ERROR "failed (${status}) without saying '${SAYS}':\n${text}")
endif()
