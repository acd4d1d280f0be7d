# SPDX-License-Identifier: Apache-2.0
# tandem.cmake - how a module, a test, a benchmark and a fuzzer are made. One interface target holds the flags.

find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(PkgConfig REQUIRED)
pkg_check_modules(CJSON REQUIRED IMPORTED_TARGET libcjson)
pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)
pkg_check_modules(ARCHIVE REQUIRED IMPORTED_TARGET libarchive)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(SIMDJSON REQUIRED IMPORTED_TARGET simdjson)
find_library(DNNL_LIBRARY dnnl REQUIRED) # its CMake package asks for OpenCL, which nothing here needs

if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release)
endif()
set(CMAKE_C_FLAGS_RELEASE "-O3 -g1")
set(CMAKE_CXX_FLAGS_RELEASE "-O3 -g1")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g")
set(CMAKE_C_FLAGS_DEBUG "-O1 -g -fno-omit-frame-pointer")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g -fno-omit-frame-pointer")
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

find_program(TDM_CCACHE ccache)
if(TDM_CCACHE)
    set(CMAKE_C_COMPILER_LAUNCHER ${TDM_CCACHE})
    set(CMAKE_CXX_COMPILER_LAUNCHER ${TDM_CCACHE})
endif()

add_library(tdm_flags INTERFACE)
target_compile_features(tdm_flags INTERFACE c_std_17 cxx_std_17)
target_compile_definitions(tdm_flags INTERFACE _POSIX_C_SOURCE=200809L _DEFAULT_SOURCE)
target_include_directories(tdm_flags INTERFACE ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR}/src)
target_compile_options(tdm_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wvla
    $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes> $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes>
    $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions>
    $<$<BOOL:${TDM_WERROR}>:-Werror> -fno-math-errno -ffp-contract=off)
if(TDM_SANITIZE)
    target_compile_options(tdm_flags INTERFACE -fsanitize=${TDM_SANITIZE} -fno-sanitize-recover=all)
    target_link_options(tdm_flags INTERFACE -fsanitize=${TDM_SANITIZE})
endif()
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_CXX_STANDARD 17) # one file, src/data/marks.cpp
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)

# tdm_module(name FILES a.c b.c USES lower floors LIBS outside libraries): the library tdm_<name> of src/<name>.
function(tdm_module name)
    cmake_parse_arguments(M "" "" "FILES;USES;LIBS" ${ARGN})
    add_library(tdm_${name} STATIC ${M_FILES})
    target_link_libraries(tdm_${name} PUBLIC tdm_flags)
    foreach(used ${M_USES})
        target_link_libraries(tdm_${name} PUBLIC tdm_${used})
    endforeach()
    target_link_libraries(tdm_${name} PUBLIC ${M_LIBS})
endfunction()

# tdm_test(name FILES test_x.c USES modules [TIMEOUT s]): one cmocka program, one line in ctest.
function(tdm_test name)
    cmake_parse_arguments(T "" "TIMEOUT" "FILES;USES" ${ARGN})
    add_executable(${name} ${T_FILES})
    target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
    # tables of cases leave out what is zero; said by file, since clang lets a later -Wextra win
    set_source_files_properties(${T_FILES} PROPERTIES COMPILE_OPTIONS -Wno-missing-field-initializers)
    target_link_libraries(${name} PRIVATE PkgConfig::CMOCKA)
    foreach(used ${T_USES})
        target_link_libraries(${name} PRIVATE tdm_${used})
    endforeach()
    target_compile_definitions(${name} PRIVATE TDM_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    add_test(NAME ${name} COMMAND ${name})
    if(T_TIMEOUT)
        set_tests_properties(${name} PROPERTIES TIMEOUT ${T_TIMEOUT})
    endif()
endfunction()

# tdm_fuzz(name USES modules): fuzz/<name>.c with libFuzzer.
function(tdm_fuzz name)
    cmake_parse_arguments(F "" "" "USES" ${ARGN})
    add_executable(${name} ${name}.c)
    foreach(used ${F_USES})
        target_link_libraries(${name} PRIVATE tdm_${used})
    endforeach()
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
endfunction()
