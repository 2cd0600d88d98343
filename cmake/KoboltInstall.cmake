# cmake --install gives the program, the headers, both libraries and a package for find_package:
#   find_package(kobolt)                     kobolt::kobolt, the shared library
#   find_package(kobolt COMPONENTS static)   kobolt::kobolt_static too, and what it needs
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/kobolt)

set_target_properties(kobolt_shared PROPERTIES EXPORT_NAME kobolt)
install(TARGETS kobolt_shared EXPORT kobolt-shared)
install(TARGETS kobolt_static EXPORT kobolt-static)
install(DIRECTORY include/kobolt TYPE INCLUDE)
install(EXPORT kobolt-shared NAMESPACE kobolt:: DESTINATION ${package_dir})
install(EXPORT kobolt-static NAMESPACE kobolt:: DESTINATION ${package_dir})

configure_package_config_file(cmake/kobolt-config.cmake.in
  ${PROJECT_BINARY_DIR}/kobolt-config.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/kobolt-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/kobolt-config.cmake
  ${PROJECT_BINARY_DIR}/kobolt-config-version.cmake DESTINATION ${package_dir})
