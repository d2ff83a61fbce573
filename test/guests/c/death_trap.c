// A breakpoint instruction without a handler ends the program.
// want: signal SIGTRAP

int main(void)
{
	__asm__ volatile("int3");
	return 0;
}
