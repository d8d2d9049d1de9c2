# SPDX-License-Identifier: Apache-2.0

# Finds the C++ Actor Framework: CAF::core and CAF::io (the names that CAF's own
# package uses), CAF_FOUND, CAF_VERSION.
#
# CAF 1.x brings a CMake package (Homebrew, Conan, vcpkg, source). One whose
# version suits counts and this module steps aside; Debian's 0.17.6 has none.
include(FindPackageHandleStandardArgs)
find_package(CAF CONFIG QUIET COMPONENTS ${CAF_FIND_COMPONENTS})
if(CAF_FOUND)
  find_package_handle_standard_args(CAF CONFIG_MODE HANDLE_VERSION_RANGE)
  return()
endif()
set(caf_hint "Torpor supports CAF 0.17.6 today. CAF 1.x has another API.
     On Debian: apt-get install libcaf-dev")
if(CAF_CONSIDERED_CONFIGS)
  list(JOIN CAF_CONSIDERED_CONFIGS " " caf_others)
  string(APPEND caf_hint "
     Passed over: ${caf_others}")
endif()

find_path(CAF_INCLUDE_DIR caf/all.hpp)
set(CAF_VERSION unknown)
if(CAF_INCLUDE_DIR)
  # 0.17.6 is written as 1706.
  file(STRINGS ${CAF_INCLUDE_DIR}/caf/config.hpp caf_version
    REGEX "^#define CAF_VERSION [0-9]+")
  string(REGEX MATCH "[0-9]+" caf_version "${caf_version}")
  if(caf_version)
    math(EXPR caf_major "${caf_version} / 10000")
    math(EXPR caf_minor "${caf_version} / 100 % 100")
    math(EXPR caf_patch "${caf_version} % 100")
    set(CAF_VERSION ${caf_major}.${caf_minor}.${caf_patch})
  endif()
endif()
foreach(component IN LISTS CAF_FIND_COMPONENTS)
  find_library(CAF_${component}_LIBRARY caf_${component})
  mark_as_advanced(CAF_${component}_LIBRARY)
  if(CAF_${component}_LIBRARY)
    set(CAF_${component}_FOUND TRUE)
  endif()
endforeach()
mark_as_advanced(CAF_INCLUDE_DIR)

find_package_handle_standard_args(CAF
  REQUIRED_VARS CAF_INCLUDE_DIR
  VERSION_VAR CAF_VERSION
  HANDLE_COMPONENTS
  HANDLE_VERSION_RANGE
  REASON_FAILURE_MESSAGE "${caf_hint}")

if(CAF_FOUND)
  find_package(Threads REQUIRED)
  foreach(component IN LISTS CAF_FIND_COMPONENTS)
    if(NOT TARGET CAF::${component})
      add_library(CAF::${component} UNKNOWN IMPORTED)
      set_target_properties(CAF::${component} PROPERTIES
        IMPORTED_LOCATION ${CAF_${component}_LIBRARY}
        INTERFACE_INCLUDE_DIRECTORIES ${CAF_INCLUDE_DIR}
        INTERFACE_LINK_LIBRARIES Threads::Threads)
    endif()
  endforeach()
  if(TARGET CAF::io AND TARGET CAF::core)
    target_link_libraries(CAF::io INTERFACE CAF::core)
  endif()
endif()
