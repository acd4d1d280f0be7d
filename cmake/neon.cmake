# SPDX-License-Identifier: Apache-2.0
# neon.cmake - tests/kernels/<name>.c with the tables of src/kernels for 64-bit ARM, compiled as strictly as all else, run
# by qemu. Needs three packages of Debian (tools/setup.sh arm) and no foreign architecture in dpkg; where they are missing
# the test says so and counts as skipped. An ARM machine tests its table in the ordinary tests.

find_program(TDM_ARM_GCC aarch64-linux-gnu-gcc)
find_program(TDM_QEMU_ARM NAMES qemu-aarch64 qemu-aarch64-static)
set(TDM_ARM_CC ${TDM_ARM_GCC})
if(CMAKE_C_COMPILER_ID MATCHES Clang)
    set(TDM_ARM_CC ${CMAKE_C_COMPILER} --target=aarch64-linux-gnu) # with the gcc package's libraries
endif()
set(TDM_ARM_WORKS FALSE) # some systems have the compiler without a C library
if(TDM_ARM_GCC AND TDM_QEMU_ARM)
    file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/arm.c "#include <stdio.h>\nint main(void) { return puts(\"ARM\") < 0; }\n")
    execute_process(COMMAND ${TDM_ARM_CC} -static ${CMAKE_CURRENT_BINARY_DIR}/arm.c -o ${CMAKE_CURRENT_BINARY_DIR}/arm.out
        RESULT_VARIABLE failed OUTPUT_QUIET ERROR_QUIET)
    if(NOT failed)
        set(TDM_ARM_WORKS TRUE)
    endif()
endif()
set(TDM_ARM_FLAGS -std=c17 -O3 -g1 ${TDM_WARNINGS} ${TDM_WARNINGS_C} -Werror
    ${TDM_ARITHMETIC} -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -DTDM_HAVE_NEON=1
    -I${CMAKE_SOURCE_DIR}/tests/kernels/alone -I${CMAKE_SOURCE_DIR}/include -I${CMAKE_SOURCE_DIR}/src
    -I${CMAKE_SOURCE_DIR}/tests)

# What tdm_kernels is made of, without the files of the other processor and the one that needs oneDNN; an archive, so that
# a test is linked with what it uses.
get_target_property(files tdm_kernels SOURCES)
list(FILTER files EXCLUDE REGEX "avx|vnni|gemm")
list(TRANSFORM files PREPEND ${CMAKE_SOURCE_DIR}/src/kernels/)
set(TDM_ARM_FILES ${files} ${CMAKE_SOURCE_DIR}/src/kernels/neon.c ${CMAKE_SOURCE_DIR}/src/base/rng.c
    ${CMAKE_SOURCE_DIR}/src/base/mem.c)

# The object of one source in this build folder's arm/; `out` becomes its path.
function(tdm_arm_object out source)
    get_filename_component(stem ${source} NAME_WE)
    set(object ${CMAKE_CURRENT_BINARY_DIR}/arm/${stem}.o)
    set(${out} ${object} PARENT_SCOPE)
    add_custom_command(OUTPUT ${object} DEPENDS ${source} DEPFILE ${object}.d VERBATIM
        COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_CURRENT_BINARY_DIR}/arm
        COMMAND ${TDM_CCACHE} ${TDM_ARM_CC} ${TDM_ARM_FLAGS} -MD -MF ${object}.d -c ${source} -o ${object})
endfunction()

set(TDM_ARM_OBJECTS "")
foreach(source ${TDM_ARM_FILES})
    tdm_arm_object(object ${source})
    list(APPEND TDM_ARM_OBJECTS ${object})
endforeach()
set(TDM_ARM_KERNELS ${CMAKE_CURRENT_BINARY_DIR}/arm/libkernels.a)
add_custom_command(OUTPUT ${TDM_ARM_KERNELS} DEPENDS ${TDM_ARM_OBJECTS} VERBATIM
    COMMAND ${CMAKE_COMMAND} -E rm -f ${TDM_ARM_KERNELS}
    COMMAND aarch64-linux-gnu-ar rcs ${TDM_ARM_KERNELS} ${TDM_ARM_OBJECTS})

# tdm_test_neon(name): <name>_neon.
function(tdm_test_neon name)
    if(TDM_SANITIZE OR CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
        return()
    endif()
    if(NOT TDM_ARM_WORKS)
        add_test(NAME ${name}_neon COMMAND ${CMAKE_COMMAND} -E echo
            "skipped: needs aarch64-linux-gnu-gcc with a C library, and qemu-aarch64; sh tools/setup.sh arm, then configure again")
        set_tests_properties(${name}_neon PROPERTIES SKIP_REGULAR_EXPRESSION "^skipped: ")
        return()
    endif()
    tdm_arm_object(object ${CMAKE_CURRENT_SOURCE_DIR}/${name}.c)
    set(program ${CMAKE_BINARY_DIR}/bin/${name}_neon)
    add_custom_command(OUTPUT ${program} DEPENDS ${object} ${TDM_ARM_KERNELS} VERBATIM
        COMMAND ${TDM_ARM_CC} -static ${object} ${TDM_ARM_KERNELS} -lm -pthread -o ${program})
    add_custom_target(${name}_neon ALL DEPENDS ${program})
    add_test(NAME ${name}_neon COMMAND ${TDM_QEMU_ARM} ${program})
endfunction()
