/* SPDX-License-Identifier: Apache-2.0 */
/* kernels.c - which table. It is built once, on first use, and never changes. */
#include "kernels/tables.h"

#include <pthread.h>

unsigned tdm_cpu_features(void)
{
    unsigned cpu = 0;
#if TDM_HAVE_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) cpu |= TDM_CPU_AVX2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        cpu |= TDM_CPU_AVX512;
    if (cpu & TDM_CPU_AVX512 && __builtin_cpu_supports("avx512vnni")) cpu |= TDM_CPU_VNNI;
    if (cpu & TDM_CPU_AVX512 && __builtin_cpu_supports("avx512bf16")) cpu |= TDM_CPU_BF16;
#elif TDM_HAVE_NEON
    cpu |= TDM_CPU_NEON;
#endif
    return cpu;
}

void tdm_kernels_init(tdm_kernels *k, unsigned cpu)
{
    tdm_kernels_init_c(k);
#if TDM_HAVE_X86
    if (cpu & TDM_CPU_AVX2) tdm_kernels_init_avx2(k);
    if (cpu & TDM_CPU_AVX512) tdm_kernels_init_avx512(k);
    if (cpu & TDM_CPU_AVX512 && cpu & TDM_CPU_VNNI) tdm_kernels_init_vnni(k);
#elif TDM_HAVE_NEON
    if (cpu & TDM_CPU_NEON) tdm_kernels_init_neon(k);
#else
    (void)cpu;
#endif
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static tdm_kernels best;

static void prepare(void) { tdm_kernels_init(&best, tdm_cpu_features()); }

const tdm_kernels *tdm_kernels_best(void)
{
    pthread_once(&once, prepare);
    return &best;
}
