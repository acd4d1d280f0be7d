/* SPDX-License-Identifier: Apache-2.0 */
/* export_gguf.c - the GPT-2 of words of a model folder, or a GPT-2 folder as it is published, as one GGUF file. */
#include "api/export.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/status.h"
#include "gpt2/gguf.h"
#include "gpt2/words.h"

#include <string.h>

/* The folder with the files of a GPT-2: `folder` itself or, of a model folder, the part that is one. */
static tdm_status gpt2_folder(char **out, const char *folder, tdm_err *err)
{
    char *config = tdm_path_join(folder, "config.json"), *part = tdm_path_join(folder, tdm_gpt2_words_ops.path);
    tdm_status st = config && part ? TDM_OK : tdm_nomem(err, folder);
    *out = NULL;
    if (!st && tdm_folder_exists(part)) {
        *out = part;
        part = NULL;
    } else if (!st && tdm_file_exists(config)) {
        *out = tdm_strdup(folder);
        if (!*out) st = tdm_nomem(err, folder);
    } else if (!st)
        st = tdm_fail(err, TDM_E_ARG,
                      "%s: holds no GPT-2 with words; name a model trained with %s, or a folder with a GPT-2's "
                      "config.json",
                      folder, tdm_gpt2_words_ops.name);
    tdm_free(config);
    tdm_free(part);
    return st;
}

/* The last part of a path; slashes at its end do not count. */
static char *name_of(const char *path)
{
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/') end--;
    size_t from = end;
    while (from && path[from - 1] != '/') from--;
    return tdm_strndup(path + from, end - from);
}

tdm_status tdm_export_gguf(const char *folder, const char *to, tdm_err *err)
{
    tdm_gpt2 *g = NULL;
    tdm_bpe *b = NULL;
    char *from, *name = name_of(folder);
    tdm_status st = name ? gpt2_folder(&from, folder, err) : tdm_nomem(err, folder);
    if (!st) {
        st = tdm_bpe_open(&b, from, err);
        if (!st) st = tdm_gpt2_load(&g, from, err);
        if (!st) st = tdm_gguf_write(to, g, b, name, err);
        tdm_free(from);
    }
    tdm_free(name);
    tdm_bpe_close(b);
    tdm_gpt2_close(g);
    return st;
}
