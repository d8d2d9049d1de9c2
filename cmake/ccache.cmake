# SPDX-License-Identifier: Apache-2.0

# Compiles through ccache where it is installed. A precompiled header needs the
# sloppiness; base directory and no hash of the build's own directory let a
# second clone find what the first one compiled.
find_program(TORPOR_CCACHE ccache DOC "Path to ccache; empty for none")
mark_as_advanced(TORPOR_CCACHE)
if(TORPOR_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER
    ${CMAKE_COMMAND} -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
    CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}
    CCACHE_NOHASHDIR=1
    ${TORPOR_CCACHE})
endif()
