# SPDX-License-Identifier: Apache-2.0

# torpor_own_code(TARGET...): what every target of ours is compiled with.
# Third-party headers come from imported targets and are system headers.
# Warnings are errors in the presets (CMAKE_COMPILE_WARNING_AS_ERROR), not for
# a host that builds us with its own compiler.
function(torpor_own_code)
  file(RELATIVE_PATH root ${PROJECT_BINARY_DIR} ${PROJECT_SOURCE_DIR})
  foreach(target IN LISTS ARGN)
    target_compile_features(${target} PUBLIC cxx_std_20)
    set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR})
    target_compile_options(${target} PRIVATE
      -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
      # GCC 12 sees overlaps and overflows in plain std::string code (its bugs
      # 105329 and 105651).
      $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
      $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow>
      $<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds>
      $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overread>
      # Failed assertions and tests name a file from the repository's root.
      # ccache makes paths relative to the build directory.
      -fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=
      -fmacro-prefix-map=${root}=)
  endforeach()
endfunction()
