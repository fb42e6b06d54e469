# What an installation consists of, and the Debian package: `cpack -G DEB` in the build folder.
if(NOT TARGET berthd OR NOT TARGET berth)
    return()
endif()
include(GNUInstallDirs)
set(config ${CMAKE_SOURCE_DIR}/config)

install(TARGETS berth RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS berthd RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
install(FILES ${config}/berthd.yaml DESTINATION /etc/berth)
install(FILES ${config}/berthd.service DESTINATION lib/systemd/system)
install(FILES ${config}/berthd.sysusers DESTINATION lib/sysusers.d RENAME berthd.conf)
install(FILES ${config}/berthd.tmpfiles DESTINATION lib/tmpfiles.d RENAME berthd.conf)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/playbooks DESTINATION share/berth)
install(FILES ${config}/debian/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES ${config}/berthd.example.yaml ${config}/alerts.example.yaml DESTINATION ${CMAKE_INSTALL_DOCDIR} OPTIONAL)
install(FILES ${CMAKE_SOURCE_DIR}/docs/CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR} OPTIONAL)

# Manual pages and completions come from the program itself, so that they can't disagree with it.
set(papers ${CMAKE_BINARY_DIR}/papers)
add_custom_command(OUTPUT ${papers}/berth.1 COMMAND berth __generate ${papers} DEPENDS berth
    COMMENT "Writing manual pages and completions" VERBATIM)
add_custom_target(papers ALL DEPENDS ${papers}/berth.1)
install(FILES ${papers}/berth.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${papers}/berthd.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES ${papers}/berth DESTINATION share/bash-completion/completions)
install(FILES ${papers}/_berth DESTINATION share/zsh/vendor-completions)
install(FILES ${papers}/berth.fish DESTINATION share/fish/vendor_completions.d)

set(CPACK_PACKAGE_NAME berth)
set(CPACK_PACKAGE_VENDOR "The Berth authors")
set(CPACK_PACKAGE_CONTACT "The Berth authors <berth@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "small elastic container cloud on machines you pay for")
string(CONCAT CPACK_PACKAGE_DESCRIPTION
    "berthd keeps a pool of Docker hosts, places containers on them under memory\n"
    "limits, and forgets nothing that it promised. berth is its command line.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_GENERATOR DEB)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "passwd, init-system-helpers, tzdata")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "docker.io | docker-ce")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${config}/debian/postinst ${config}/debian/prerm ${config}/debian/postrm ${config}/debian/conffiles)
include(CPack)
