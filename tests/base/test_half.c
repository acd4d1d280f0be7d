/* SPDX-License-Identifier: Apache-2.0 */
/* Floats in 16 bits: all 65,536 of each kind there and back, and what lies between two goes to the nearer. */
#include "check.h"

#include "base/half.h"

#include <math.h>

static void bf16_is_the_nearest(void **state)
{
    (void)state;
    assert_int_equal(tdm_to_bf16(1), 0x3f80);
    assert_int_equal(tdm_to_bf16(1 + 0x1p-8f), 0x3f80);            /* halfway: to the even one */
    assert_int_equal(tdm_to_bf16(1 + 3 * 0x1p-8f), 0x3f82);        /* halfway, up to the even one */
    assert_int_equal(tdm_to_bf16(1 + 0x1p-8f + 0x1p-20f), 0x3f81); /* above halfway */
    assert_int_equal(tdm_to_bf16(-0.0f), 0x8000);
    assert_int_equal(tdm_to_bf16(INFINITY), 0x7f80);
    assert_true((tdm_to_bf16(NAN) & 0x7f80) == 0x7f80 && (tdm_to_bf16(NAN) & 0x7f));
    assert_int_equal(tdm_to_bf16(3.4e38f), 0x7f80); /* beyond the largest: infinity, as IEEE 754 rounds */
}

/* Of a kind: all of its numbers stay what they are; halfway between two neighbours the even one is taken, and a little
 * beyond or before the nearer. */
static void nearest(uint16_t (*to)(float), float (*from)(uint16_t), uint16_t infinity)
{
    for (uint32_t h = 0; h < 0x10000; h++) {
        float x = from((uint16_t)h);
        if ((h & 0x7fff) > infinity) {
            assert_true(isnan(x) && isnan(from(to(x))));
            continue;
        }
        assert_int_equal(to(x), h);
        if ((h & 0x7fff) >= infinity - 1u) continue;
        float next = from((uint16_t)(h + 1)), half = x + (next - x) / 2;
        assert_int_equal(to(half), h & 1 ? h + 1 : h);
        assert_int_equal(to(nextafterf(half, x)), h);
        assert_int_equal(to(nextafterf(half, next)), h + 1);
    }
}

static void numbers_between_go_to_the_nearer(void **state)
{
    (void)state;
    nearest(tdm_to_f16, tdm_from_f16, 0x7c00);
    nearest(tdm_to_bf16, tdm_from_bf16, 0x7f80);
    assert_int_equal(tdm_to_f16(65519.99f), 0x7bff);
    assert_int_equal(tdm_to_f16(65520), 0x7c00);
    assert_int_equal(tdm_to_f16(-1e30f), 0xfc00);
    assert_int_equal(tdm_to_f16(0x1p-26f), 0);
    assert_true(tdm_from_f16(0x3555) == 0.333251953125f && tdm_from_f16(1) == 0x1p-24f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(bf16_is_the_nearest),
                                       cmocka_unit_test(numbers_between_go_to_the_nearer)};
    return cmocka_run_group_tests_name("half", tests, NULL, NULL);
}
