/* SPDX-License-Identifier: Apache-2.0 */
/* network.c - the network forward, and as what it is kept: an array of numbers. network_learn.c trains it. */
#include "hybrid/network.h"

#include "base/mem.h"
#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

tdm_status tdm_network_init(tdm_network *n, size_t P, size_t H, tdm_err *err)
{
    size_t F = tdm_network_inputs(P);
    *n = (tdm_network){.P = P, .H = H, .numbers = tdm_new(tdm_network_size(P, H), sizeof *n->numbers)};
    if (!n->numbers) return tdm_nomem(err, "the fusion's network");
    n->A = n->numbers;
    n->a = n->A + F * H;
    n->B = n->a + H;
    n->b = n->B + H * 2 * P;
    return TDM_OK;
}

void tdm_network_clear(tdm_network *n)
{
    tdm_free(n->numbers);
    *n = (tdm_network){0};
}

void tdm_network_weigh(const tdm_network *net, float *w, const float *said, size_t stride, const float *people,
                       const uint8_t *seen, float length, size_t n, float *room)
{
    size_t P = net->P, V = 2 * P, F = tdm_network_inputs(P), H = net->H;
    float *x = room, *h = room + n * F;
    for (size_t j = 0; j < n; j++) {
        for (size_t v = 0; v < 3 * P; v++) x[j * F + v] = said[v * stride + j];
        x[j * F + 3 * P] = people[j];
        x[j * F + 3 * P + 1] = seen[j];
        x[j * F + 3 * P + 2] = length;
        memcpy(h + j * H, net->a, H * sizeof *h);
        memcpy(w + j * V, net->b, V * sizeof *w);
    }
    tdm_gemm(0, 0, n, H, F, 1, x, F, net->A, H, 1, h, H);
    for (size_t k = 0; k < n * H; k++) h[k] = h[k] > 0 ? h[k] : 0;
    tdm_gemm(0, 0, n, V, H, 1, h, H, net->B, V, 1, w, V);
}

/* ---- JSON ---- */

enum { MOST_HIDDEN = 4096, ARRAYS = 4 };

static const char *const names[ARRAYS] = {"A", "a", "B", "b"};

static void lengths(size_t n[ARRAYS], size_t P, size_t H)
{
    n[0] = tdm_network_inputs(P) * H;
    n[1] = H;
    n[2] = H * 2 * P;
    n[3] = 2 * P;
}

cJSON *tdm_network_json(const tdm_network *net)
{
    size_t n[ARRAYS];
    cJSON *o = cJSON_CreateObject();
    const float *x = net->numbers;
    bool whole = cJSON_AddNumberToObject(o, "hidden", (double)net->H) != NULL;
    lengths(n, net->P, net->H);
    for (int k = 0; k < ARRAYS; k++) {
        cJSON *list = cJSON_CreateFloatArray(x, (int)n[k]);
        whole = whole && cJSON_AddItemToObject(o, names[k], list);
        x += n[k];
    }
    if (whole) return o;
    cJSON_Delete(o);
    return NULL;
}

tdm_status tdm_network_parse(tdm_network *out, const cJSON *o, size_t P, const char *path, tdm_err *err)
{
    size_t n[ARRAYS];
    double hidden = tdm_json_num(o, "hidden", 0);
    *out = (tdm_network){0};
    if (!(hidden >= 1 && hidden <= MOST_HIDDEN))
        return tdm_fail(err, TDM_E_FORMAT,
                        "%s: \"hidden\" of the network is no number from 1 to %d; train the hybrid again", path,
                        MOST_HIDDEN);
    tdm_status st = tdm_network_init(out, P, (size_t)hidden, err);
    if (st) return st;
    float *x = out->numbers;
    lengths(n, P, out->H);
    for (int k = 0; k < ARRAYS && !st; k++) {
        const cJSON *list = cJSON_GetObjectItemCaseSensitive(o, names[k]), *one;
        size_t at = 0;
        if (cJSON_IsArray(list) && (size_t)cJSON_GetArraySize(list) == n[k])
            cJSON_ArrayForEach(one, list) if (cJSON_IsNumber(one) && fabs(one->valuedouble) < 1e9) x[at++] =
                (float)one->valuedouble;
        if (at < n[k])
            st = tdm_fail(err, TDM_E_FORMAT, "%s: \"%s\" of the network is not %zu numbers; train the hybrid again",
                          path, names[k], n[k]);
        x += n[k];
    }
    if (st) tdm_network_clear(out);
    return st;
}
