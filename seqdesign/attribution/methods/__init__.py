"""Attribution methods: the file is the registration."""
