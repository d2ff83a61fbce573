// Divides by zero with the exceptions of the SSE unit enabled.
// want: fault float
#include "../c/check.h"
#include <fenv.h>

int main(void)
{
	volatile double zero = 0;
	feenableexcept(FE_ALL_EXCEPT);
	zero = 1 / zero;
	return (int)zero;
}
