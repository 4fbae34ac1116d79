"""The views of the page, each drawing what `policy_qa.page` makes of an answer."""
