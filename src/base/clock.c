/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

double tdm_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* What /proc/self/status (proc(5)) has behind `key`, in bytes. */
static size_t status_of(const char *key)
{
    FILE *f = fopen("/proc/self/status", "r");
    char line[256];
    size_t kib = 0;
    while (f && !kib && fgets(line, sizeof line, f))
        if (strncmp(line, key, strlen(key)) || sscanf(line + strlen(key), "%zu kB", &kib) != 1) kib = 0;
    if (f) fclose(f);
    return kib * 1024;
}

size_t tdm_resident_memory(void) { return status_of("VmRSS:"); }

/* Linux keeps the mark as VmHWM and lowers it when "5" is written to clear_refs. */
size_t tdm_peak_memory(void) { return status_of("VmHWM:"); }

void tdm_peak_memory_reset(void)
{
    FILE *f = fopen("/proc/self/clear_refs", "w");
    if (!f) return;
    fputs("5", f);
    fclose(f);
}
