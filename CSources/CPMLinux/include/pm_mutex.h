/* A mutex with a fixed address, for state that a callback thread shares. */
#ifndef PM_MUTEX_H
#define PM_MUTEX_H

#include "pm_base.h"

PM_NONNULL_BEGIN

typedef struct pm_mutex pm_mutex;

/* A new unlocked mutex, for the life of the process. Null when there is no memory. */
pm_mutex *PM_NULLABLE pm_mutex_create(void);
/* Waits for the mutex and takes it. Not recursive. */
void pm_mutex_lock(pm_mutex *mutex);
void pm_mutex_unlock(pm_mutex *mutex);

PM_NONNULL_END

#endif
