between
