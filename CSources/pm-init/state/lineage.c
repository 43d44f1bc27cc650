#include "lineage.h"

bool lineage_is_own(const lineage *l, int32_t pid) {
    return pid == l->self.pid || pid == l->pmd_pid || discard_is_by(&l->closers, pid);
}
