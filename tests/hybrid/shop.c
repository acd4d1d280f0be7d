/* SPDX-License-Identifier: Apache-2.0 */
#include "shop.h"
#include "base/utf8.h"
#include "cf/cf.h"
#include "check.h"
#include "data/small_log.h"

#include <stdio.h>
#include <string.h>

static void row(tdm_builder *b, const char *user, const char *item, float rating, int64_t time, const char *review)
{
    tdm_err err;
    tdm_row r = {.user = tdm_str_of(user),
                 .item = tdm_str_of(item),
                 .rating = rating,
                 .time = time,
                 .summary = tdm_str_of(""),
                 .review = tdm_str_of(review)};
    CHECK_OK(tdm_builder_add(b, &r, &err), err);
}

static void item(tdm_builder *b, const char *id, const char *title, const char *brand, const char *category)
{
    tdm_err err;
    tdm_item it = {
        .id = tdm_str_of(id), .title = tdm_str_of(title), .brand = tdm_str_of(brand), .category = tdm_str_of(category)};
    CHECK_OK(tdm_builder_item(b, &it, NULL, &err), err);
}

shop shop_open(void)
{
    tdm_builder *b;
    tdm_err err;
    shop x;
    char longest[900];
    memset(longest, 'x', 880);
    for (size_t k = 9; k < 880; k += 10) longest[k] = ' ';
    longest[880] = 0;
    CHECK_OK(tdm_builder_open(&b, 1, &err), err);
    row(b, "ann", "tea", 5, 1, "Ann says the tea is the best of them all.");
    row(b, "ann", "pot", 1, 2, "Ann says the pot leaks and is a sad thing.");
    row(b, "ann", "cup", 4, 3, "Ann says that the cup is quite alright.");
    row(b, "ann", "kettle", 5, 8, "Ann says secretly that the kettle sings.");
    row(b, "ann", "spoon", 5, 9, "Ann says secretly that the spoon shines.");
    for (int k = 0; k < 6; k++) {
        char user[8];
        snprintf(user, sizeof user, "p%d", k);
        row(b, user, "tea", 5, 1, "This tea is what I drink day after day.");
        row(b, user, "pot", 4, 2, "");
        row(b, user, "kettle", k ? 5 : 1, 3,
            k ? "It boils in a minute and sings softly." : "A bad kettle that never came to the boil.");
        row(b, user, "cup", 3, 4, "");
        row(b, user, "spoon", 4, 5, "Held out: the spoon of the one who left.");
        row(b, user, "tray", 4, 6, "Held out: the tray of the one who left.");
    }
    item(b, "tea", "Green\n tea", "Leaf", "Kitchen\nTea");
    item(b, "pot", "The Blue Pot", "Clay", "Kitchen\nPots");
    item(b, "cup", "Cup", "Clay", "Kitchen\nCups");
    item(b, "kettle", "Kettle of 3 litres", "Clay", "Kitchen\nPots");
    item(b, "spoon", longest, "", "");
    item(b, "tray", "Titania", "", "");
    CHECK_OK(small_log_finish(&x.d, b, 0, NULL, &err), err);
    tdm_builder_close(b);
    tdm_protocol p = {.split = TDM_SPLIT_LEAVE_ONE_OUT, .positive_from = 3, .seed = 1};
    CHECK_OK(tdm_split_make(&x.s, x.d, &p, &err), err);
    struct tdm_run run = {.seed = 1};
    tdm_params params = tdm_params_standard(tdm_user_knn_ops.params);
    tdm_fit_input in = {.train = x.s->train, .params = &params, .run = &run};
    CHECK_OK(tdm_user_knn_ops.fit(&x.knn, &in, &err), err);
    return x;
}

void shop_close(shop *x)
{
    tdm_model_close(x->knn);
    tdm_split_close(x->s);
    tdm_dataset_close(x->d);
}

uint32_t shop_item(const shop *x, const char *id) { return tdm_dataset_item(x->d, tdm_str_of(id)); }

tdm_explain_input shop_about(const shop *x, const tdm_history *h, const char *id)
{
    return (tdm_explain_input){.data = x->d,
                               .train = x->s->train,
                               .model = x->knn,
                               .history = h,
                               .item = shop_item(x, id),
                               .positive_from = 3,
                               .seed = 1};
}

cJSON *shop_explained(const tdm_explain_input *in)
{
    tdm_err err;
    cJSON *o = cJSON_CreateObject();
    CHECK_OK(tdm_explain(o, in, &err), err);
    CHECK(tdm_utf8_valid(tdm_str_of(tdm_json_str(o, "text", "\xff"))));
    return o;
}

bool shop_says(const cJSON *o, const char *what)
{
    char *text = cJSON_PrintUnformatted(o);
    bool found = strstr(text, what) != NULL;
    cJSON_free(text);
    return found;
}

void shop_must_say(const cJSON *o, const char *what)
{
    char *text = cJSON_PrintUnformatted(o);
    if (!strstr(text, what)) fail_msg("%s\ndoes not say %s", text, what);
    cJSON_free(text);
}
