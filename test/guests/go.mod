module github.com/airlockvm/airlock/test/guests

go 1.26
