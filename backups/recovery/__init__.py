"""Coming back after a disaster: from the object store, with the database or without it; and trying that every week."""
