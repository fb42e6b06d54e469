#include "berth/store/store.h"
