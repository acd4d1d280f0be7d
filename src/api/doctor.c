/* SPDX-License-Identifier: Apache-2.0 */
/* doctor.c - the machine, the kernels in use, the libraries. */
#include "api/answer.h"
#include "kernels/kernels.h"

#include <archive.h>
#include <dnnl.h>
#include <openssl/crypto.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <utf8proc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <xxhash.h>

/* The value of the first line "key : value" of a file of /proc; "" where there is none. */
static void proc_value(char *out, size_t room, const char *path, const char *key)
{
    char line[512];
    FILE *f = fopen(path, "r");
    *out = 0;
    while (f && !*out && fgets(line, sizeof line, f)) {
        char *colon = strchr(line, ':');
        if (!colon || strncmp(line, key, strlen(key))) continue;
        tdm_str v = tdm_str_trim(tdm_str_of(colon + 1));
        snprintf(out, room, "%.*s", (int)v.n, v.p);
    }
    if (f) fclose(f);
}

static void add_memory(cJSON *m, const char *name, const char *key)
{
    char kib[64], text[64];
    proc_value(kib, sizeof kib, "/proc/meminfo", key);
    double v = strtod(kib, NULL);
    if (!(v > 0)) return; /* a system without /proc */
    snprintf(text, sizeof text, "%.1f GiB", v / 1024 / 1024);
    cJSON_AddStringToObject(m, name, text);
}

static void add_machine(cJSON *o)
{
    char model[256], text[600];
    struct utsname u;
    cJSON *m = cJSON_AddObjectToObject(o, "machine");
    if (!uname(&u)) {
        snprintf(text, sizeof text, "%s %s %s", u.sysname, u.release, u.machine);
        cJSON_AddStringToObject(m, "system", text);
    }
    proc_value(model, sizeof model, "/proc/cpuinfo", "model name");
    cJSON_AddStringToObject(m, "processor", model);
    cJSON_AddNumberToObject(m, "processors", (double)sysconf(_SC_NPROCESSORS_ONLN));
    add_memory(m, "memory", "MemTotal");
    add_memory(m, "memory_available", "MemAvailable");
}

static void add_libraries(cJSON *o)
{
    char version[128];
    cJSON *l = cJSON_AddObjectToObject(o, "libraries");
    const dnnl_version_t *dnnl = dnnl_version();
    snprintf(version, sizeof version, "%d.%d.%d", dnnl->major, dnnl->minor, dnnl->patch);
    cJSON_AddStringToObject(l, "onednn", version);
    cJSON_AddStringToObject(l, "libarchive", archive_version_details());
    pcre2_config(PCRE2_CONFIG_VERSION, version);
    cJSON_AddStringToObject(l, "pcre2", version);
    cJSON_AddStringToObject(l, "utf8proc", utf8proc_version());
    cJSON_AddStringToObject(l, "cjson", cJSON_Version());
    snprintf(version, sizeof version, "%u.%u.%u", XXH_versionNumber() / 10000, XXH_versionNumber() / 100 % 100,
             XXH_versionNumber() % 100);
    cJSON_AddStringToObject(l, "xxhash", version);
    cJSON_AddStringToObject(l, "openssl", OpenSSL_version(OPENSSL_VERSION));
}

tdm_status tdm_doctor(char **answer, tdm_err *err)
{
    unsigned cpu = tdm_cpu_features();
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "tandem", TDM_VERSION);
    add_machine(o);
    cJSON *k = cJSON_AddObjectToObject(o, "kernels");
    cJSON_AddStringToObject(k, "in_use", tdm_kernels_best()->isa);
    cJSON_AddBoolToObject(k, "avx2", (cpu & TDM_CPU_AVX2) != 0);
    cJSON_AddBoolToObject(k, "avx512", (cpu & TDM_CPU_AVX512) != 0);
    cJSON_AddBoolToObject(k, "avx512_bf16", (cpu & TDM_CPU_BF16) != 0);
    cJSON_AddStringToObject(k, "mixed_precision", tdm_gemm_bf16_name());
    add_libraries(o);
    return tdm_answer(answer, o, err);
}
