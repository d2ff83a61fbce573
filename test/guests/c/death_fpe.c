// A division by zero without a handler ends the program.
// want: fault divide

int main(void)
{
	volatile int one = 1, zero = 0;
	return one / zero;
}
