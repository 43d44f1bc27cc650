/* No target: it aborts on an input that begins with "!", so that who runs targets can be seen to notice it.
 */
#include "rules.h"

const char *const target_name = "one that aborts";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    require(size == 0 || data[0] != '!', "this one aborts on purpose");
    return 0;
}
