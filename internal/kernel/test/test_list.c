#include "lib/list.h"

#include "test.h"

struct item {
	int value;
	struct list link;
};

static void check_values(const struct list *head, const char *want)
{
	char got[16] = "";
	size_t length = 0;

	LIST_FOR_EACH (at, head) {
		CHECK(at->next->previous == at && at->previous->next == at);
		got[length++] = (char)('0' + LIST_ENTRY(at, struct item, link)->value);
	}
	if (strcmp(got, want) != 0) {
		fprintf(stderr, "list holds %s; want %s\n", got, want);
		exit(1);
	}
}

int main(void)
{
	struct list head = LIST_INIT(head);
	struct item items[5];

	for (int i = 0; i < 5; i++) {
		items[i].value = i;
		list_init(&items[i].link);
	}
	CHECK(list_empty(&head));
	check_values(&head, "");

	list_add_tail(&head, &items[1].link);
	list_add_tail(&head, &items[2].link);
	list_add_head(&head, &items[0].link);
	check_values(&head, "012");
	CHECK(!list_empty(&head));

	list_remove(&items[1].link);
	list_remove(&items[1].link); /* harmless the second time */
	check_values(&head, "02");
	CHECK(list_empty(&items[1].link));

	list_add_tail(&head, &items[3].link);
	list_add_tail(&head, &items[4].link);
	LIST_FOR_EACH (at, &head) {
		if (LIST_ENTRY(at, struct item, link)->value % 2 == 0)
			list_remove(at);
	}
	check_values(&head, "3");
	list_remove(&items[3].link);
	CHECK(list_empty(&head));
	return 0;
}
