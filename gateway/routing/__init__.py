"""Policy to ranked plan, with reasons. Pure: values in, values out."""
