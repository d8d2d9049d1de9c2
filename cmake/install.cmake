# SPDX-License-Identifier: Apache-2.0

# Installs the library so that find_package(torpor) gives torpor::torpor.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/torpor)

install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS torpor torpor_runtime EXPORT torpor)
install(EXPORT torpor
  FILE torporTargets.cmake
  NAMESPACE torpor::
  DESTINATION ${package_dir})

configure_package_config_file(
  ${PROJECT_SOURCE_DIR}/cmake/torporConfig.cmake.in
  ${PROJECT_BINARY_DIR}/torporConfig.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(
  ${PROJECT_BINARY_DIR}/torporConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/torporConfig.cmake
  ${PROJECT_BINARY_DIR}/torporConfigVersion.cmake
  ${PROJECT_SOURCE_DIR}/cmake/FindCAF.cmake
  ${PROJECT_SOURCE_DIR}/cmake/FindLMDB.cmake
  ${PROJECT_SOURCE_DIR}/cmake/FindxxHash.cmake
  DESTINATION ${package_dir})
